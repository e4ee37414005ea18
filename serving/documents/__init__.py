"""Documents for signature and filing, in the layout of Nghị định 30/2020/NĐ-CP."""

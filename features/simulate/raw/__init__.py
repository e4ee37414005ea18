"""The made-up history as raw deliveries, in the formats and with the traps of real systems.

planted = write_raw(province, folder)

folder/reference/*.parquet          canonical sector, procedure, holiday, outage
folder/roster/roster.json           units and officials with names (samples/16)
folder/dvcqg/<day>/*.json           daily syncs: new dossiers, updates, progress, apologies, consultations
folder/opencps/*.json               two departments' dossiers with their actions
folder/petition/*.json, rating/*.json
folder/inspectorate/*.parquet       canonical inspection, finding, explanation, without officials
"""

from features.simulate.raw.deliveries import write_raw
from features.simulate.raw.planted import Planted

__all__ = ["Planted", "write_raw"]

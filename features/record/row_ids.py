"""Whether a few rows may be in the record already, without a query over it: what small deliveries are compared with.

A delivery of one event to a record of ten million would otherwise read ten million ids to find that the event is new.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

LENGTH = 32
"""Hexadecimal digits of a `row_id`; the first half of them is stored, eight bytes a row."""

MOST_ROWS = 20_000_000
"""Of which a process keeps the ids, 160 MB; a greater table is asked by a query."""

Bits = npt.NDArray[np.uint64]


class RowIds:
    """Sorted halves of the row ids of one table's Parquet files, which never change; each file is read once.

    `column`: another column of text in their place, of whose values a process keeps the hashes. Safe to share between
    threads.
    """

    def __init__(self, column: str = "row_id") -> None:
        self._column = column
        self._held: dict[str, Bits] = {}

    def any(self, paths: Sequence[str], ids: Sequence[str]) -> bool:
        """False: none of `ids` is in the files at `paths`. True: one may be, and a query must decide.

        Two ids that differ share their first half once in 2⁶⁴ pairs. Files that are not named are forgotten.
        """
        held = {path: self._held[path] for path in self._held.keys() & set(paths)}
        for path in set(paths) - held.keys():
            file = pq.ParquetFile(path)
            if file.metadata.num_rows + sum(map(len, held.values())) > MOST_ROWS:
                return True
            held[path] = np.sort(self._bits(file.read(columns=[self._column])[self._column]))
        self._held = held
        wanted = self._bits(pa.chunked_array([pa.array(ids, pa.string())]))
        return any(_one_is_in(wanted, of_file) for of_file in held.values())

    def _bits(self, ids: pa.ChunkedArray) -> Bits:
        if self._column != "row_id":
            return np.array([hash(one) & 0xFFFF_FFFF_FFFF_FFFF for one in ids.to_pylist()], np.uint64)
        return np.concatenate([np.empty(0, np.uint64), *(halves(chunk) for chunk in ids.chunks)])


def halves(ids: pa.Array) -> Bits:
    """The first 64 bits of each id of `LENGTH` hexadecimal digits."""
    if not len(ids):
        return np.empty(0, np.uint64)
    text = pa.concat_arrays([ids]).cast(pa.binary()).cast(pa.binary(LENGTH))
    digits = text.buffers()[1].slice(text.offset * LENGTH, len(text) * LENGTH)
    return np.frombuffer(bytes.fromhex(str(digits, "ascii")), ">u8")[::2].astype(np.uint64)


def _one_is_in(wanted: Bits, held: Bits) -> bool:
    places = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    return bool(len(held) and np.any(held[places] == wanted))

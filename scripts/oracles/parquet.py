"""Small Parquet files for test/sources.test.ts: `python3 scripts/oracles/parquet.py` writes test/data/parquet (needs pyarrow)."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table(
    {
        "x": pa.array([1.5, 2.5, 3.5], pa.float32()),
        "n": pa.array([1, 2, 2**33], pa.int64()),
        "ok": [True, False, True],
        "name": ["a", "b", "c"],
        "v": [[1, 2], [3, 4], [5, 6]],
        "gap": [1.0, None, 3.0],
    }
)
folder = Path(__file__).parents[2] / "test/data/parquet"
for codec in ["snappy", "gzip", "zstd"]:
    pq.write_table(table, folder / f"{codec}.parquet", compression=codec, write_statistics=False, store_schema=False)

"""Sliding windows over event time, as arrays with one row per account or group.

Three kinds, each bounded and cheap for thousands of rows at once: rings of panes (`panes`) answer "how much in the
last hour, in the last day" to within one pane, decayed counters (`decay`) answer the same for any half-life without
edges, bitmaps (`distinct`) count different values. `table` holds the rows and knows which of them changed,
`index` and `keyset` find rows and keys.
"""

from detectors.windows.decay import decay
from detectors.windows.distinct import Distinct
from detectors.windows.index import PairIndex, RowIndex
from detectors.windows.keyset import KeySet
from detectors.windows.panes import PaneRing
from detectors.windows.table import Table

__all__ = ["Distinct", "KeySet", "PairIndex", "PaneRing", "RowIndex", "Table", "decay"]

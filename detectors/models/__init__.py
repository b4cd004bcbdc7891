"""Models that learn what ordinary traffic looks like, one row at a time or a batch at a time.

Read `half_space_trees` first: the outlier model of the group stage. It is River's `HalfSpaceTrees` laid out in numpy
arrays, so that a whole tick is scored in a few array operations and the state is a handful of arrays that can be
checkpointed without a pickle. River stays the reference: the trees are read off a River object, and a test holds both
to the same numbers, to the last bit.

A model here takes `rows` of shape (B, F), float64, columns in the order of its `features`, and never reads a clock.
"""

"""Parts of the detector and candidates for it on real labelled streams, each beside the line to beat.

The streams stand in for what no public data of a language model's API holds (see `../shared/data/README.md`): a part
that wins here is right in its mechanics, not proven in the field. Everything runs unsupervised and with the defaults of
the part unless a row says otherwise, and labels are read after the last score; but some defaults were settled in sight
of these figures, which each module owns up to.
"""

"""Who belongs with whom.

`graph` remembers which accounts used which attribute values (prompt templates, payments, devices, networks) and how
much traffic went through each. A value shared by several accounts is itself a candidate group, and never too large to
be one: a campaign may hide behind a single prompt of 20,000 accounts. `templates` makes paraphrases of one prompt one
value, `components` joins accounts that share two different kinds of rare value, or one and the sign-up cohort
(`cohorts`), `members` lays groups out as arrays.
"""

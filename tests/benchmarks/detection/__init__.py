"""The ruler: every scenario of the simulator, judged by Hydrawatch and by simpler detectors, over several seeds.

`python -m tests.benchmarks.detection --quick` runs it. `plan` says which runs, `run` makes one of them, `baselines` are
the other detectors, `calibrate` freezes their thresholds, `parts` are measured on real labelled streams, `report`
writes the results. Two commands of their own use the same runs: `ablation` takes the detector apart, `false_alarms`
bounds what happens to honest accounts.
"""

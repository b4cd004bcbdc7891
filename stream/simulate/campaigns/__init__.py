"""Distillation campaigns, one module per reported or feared sort.

What is not published (cards, devices, exits, bans, hours) is drawn anew for every seed within wide bounds.
"""

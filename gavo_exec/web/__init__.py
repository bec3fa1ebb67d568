"""The daemon as one sees it in a browser: pages, metrics, a calendar, and the control API over the network.

It runs in a process of its own, so that nothing that anybody sends can keep a job from starting on time; it sees
nothing but ports.
"""

//! Do the rooms work together? Everything is in `tests/`: a federation over real sockets, the plan of the house, crashes.

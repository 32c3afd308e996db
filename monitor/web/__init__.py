"""The three doors: public pages, ops metrics, control socket."""

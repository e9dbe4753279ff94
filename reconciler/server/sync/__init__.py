"""The controller of `reconciler run --listen`: its state, its waiting plans, its health and the hook."""

"""What the workflows share: settings of the run, account, inventory, files written."""

"""What changes on time, and which of the changes the controller makes."""

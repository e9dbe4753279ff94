"""The client of the Novita API: requests, retries, the error table, and the account as reads and writes."""

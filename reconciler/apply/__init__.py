"""Performing an approved plan against the account.

executor   walks the stages, in parallel, and reports     clock    waiting that an interrupt can end
writes     one change -> its calls, in safe order         create   the one call that must not happen twice
verify     every write is read back                        reading_back  many creates by few listings
"""

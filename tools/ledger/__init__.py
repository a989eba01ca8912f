"""The record of truth: plans, approvals, runs, leases, reservations and the audit chain, in one database."""

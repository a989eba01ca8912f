"""A plan and what is needed for it: terraform's plan, policy, prices, approvals."""

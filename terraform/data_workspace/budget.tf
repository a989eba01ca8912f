# What the team said it may cost, watched by Azure from the bill: told at four fifths spent, and when the month is heading beyond it.

resource "azapi_resource" "budget" {
  count = var.budget_monthly > 0 ? 1 : 0

  type      = "Microsoft.Consumption/budgets@2024-08-01"
  parent_id = azapi_resource.group.id
  name      = "monthly"

  body = {
    properties = {
      category   = "Cost"
      amount     = var.budget_monthly
      timeGrain  = "Monthly"
      timePeriod = { startDate = "${var.budget_from}T00:00:00Z" }
      notifications = {
        for name, one in { spent = { threshold = 80, type = "Actual" }, heading = { threshold = 100, type = "Forecasted" } } : name => {
          enabled                = true
          operator               = "GreaterThanOrEqualTo"
          threshold              = one.threshold
          thresholdType          = one.type
          contactEmails          = var.alert_email == "" ? [] : [var.alert_email]
          contactRoles           = ["Owner"]
        }
      }
    }
  }
}

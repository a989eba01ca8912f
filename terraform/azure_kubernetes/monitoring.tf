# Logs of the cluster, figures of its nodes, and alerts.

resource "azapi_resource" "logs" {
  type      = "Microsoft.OperationalInsights/workspaces@2025-07-01"
  parent_id = azapi_resource.group.id
  name      = var.names.logs
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      sku              = { name = "PerGB2018" }
      retentionInDays  = var.log_retention_days
      workspaceCapping = { dailyQuotaGb = var.log_daily_gb }
      features         = { disableLocalAuth = true, enableLogAccessUsingOnlyResourcePermissions = true }
    }
  }
}

resource "azapi_resource" "diagnostics" {
  # Azure answers the id of the workspace in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  parent_id = azapi_resource.cluster.id
  name      = "to-log-analytics"

  body = {
    properties = {
      workspaceId = azapi_resource.logs.id
      # Who changed what, without every read: those would be most of it.
      logs    = [for category in ["kube-audit-admin", "guard", "kube-controller-manager"] : { category = category, enabled = true }]
      metrics = [{ category = "AllMetrics", enabled = true }]
    }
  }
}

# What containers write and how nodes fare, collected by the cluster's own agent.
resource "azapi_resource" "collection_rule" {
  type      = "Microsoft.Insights/dataCollectionRules@2023-03-11"
  parent_id = azapi_resource.group.id
  name      = var.names.collection_rule
  location  = var.location
  tags      = var.tags

  body = {
    kind = "Linux"
    properties = {
      dataSources = {
        extensions = [{
          name          = "ContainerInsightsExtension"
          extensionName = "ContainerInsights"
          streams       = ["Microsoft-ContainerInsights-Group-Default"]
          extensionSettings = {
            dataCollectionSettings = { interval = "1m", namespaceFilteringMode = "Off", enableContainerLogV2 = true }
          }
        }]
      }
      destinations = { logAnalytics = [{ name = "logs", workspaceResourceId = azapi_resource.logs.id }] }
      dataFlows    = [{ streams = ["Microsoft-ContainerInsights-Group-Default"], destinations = ["logs"] }]
    }
  }
}

resource "azapi_resource" "collection" {
  type      = "Microsoft.Insights/dataCollectionRuleAssociations@2023-03-11"
  parent_id = azapi_resource.cluster.id
  name      = "ContainerInsightsExtension"

  body = {
    properties = {
      dataCollectionRuleId = azapi_resource.collection_rule.id
      description          = "Container logs and node figures of this cluster."
    }
  }
}

resource "azapi_resource" "action_group" {
  count = var.alert_email == "" ? 0 : 1

  type      = "Microsoft.Insights/actionGroups@2023-01-01"
  parent_id = azapi_resource.group.id
  name      = var.names.action_group
  location  = "global"
  tags      = var.tags

  body = {
    properties = {
      enabled        = true
      groupShortName = "kubernetes"
      emailReceivers = [{ name = "team", emailAddress = var.alert_email, useCommonAlertSchema = true }]
    }
  }
}

resource "azapi_resource" "alert" {
  for_each = {
    node-memory = { metric = "node_memory_working_set_percentage", threshold = 90 }
    node-disk   = { metric = "node_disk_usage_percentage", threshold = 85 }
    node-cpu    = { metric = "node_cpu_usage_percentage", threshold = 95 }
  }

  # Azure answers ids of what is watched, and names of tags, in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/metricAlerts@2018-03-01"
  parent_id = azapi_resource.group.id
  name      = "alert-${each.key}-${var.names.cluster}"
  location  = "global"
  tags      = { for name, value in var.tags : lower(name) => value }

  body = {
    properties = {
      description         = "${each.value.metric} of ${var.names.cluster}"
      enabled             = true
      severity            = 2
      evaluationFrequency = "PT5M"
      windowSize          = "PT15M"
      autoMitigate        = true
      scopes              = [azapi_resource.cluster.id]
      actions             = [for group in azapi_resource.action_group : { actionGroupId = group.id }]
      criteria = {
        "odata.type" = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
        allOf = [{
          name            = each.key
          criterionType   = "StaticThresholdCriterion"
          metricNamespace = "Microsoft.ContainerService/managedClusters"
          metricName      = each.value.metric
          operator        = "GreaterThan"
          threshold       = each.value.threshold
          timeAggregation = "Average"
        }]
      }
    }
  }
}

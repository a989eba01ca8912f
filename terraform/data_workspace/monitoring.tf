# Logs of everything in one workspace, and alerts.

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

  response_export_values = { customer_id = "properties.customerId" }
}

locals {
  watched = {
    cluster = { id = azapi_resource.cluster.id, logs = ["kube-audit-admin", "guard", "cluster-autoscaler", "kube-controller-manager"] }
    storage = { id = azapi_resource.storage.id, logs = [] }
    # Reads of 5 TB a day would fill the workspace; writes and deletions tell who changed what.
    blobs = { id = azapi_update_resource.blobs.id, logs = ["StorageWrite", "StorageDelete"] }
    vault = { id = azapi_resource.vault.id, logs = ["AuditEvent", "AzurePolicyEvaluationDetails"] }
    # No row for the NAT gateway: Azure Monitor exports none of its figures.
    network       = { id = azapi_resource.network.id, logs = ["VMProtectionAlerts"] }
    public_ip     = { id = azapi_resource.public_ip.id, logs = ["DDoSProtectionNotifications"] }
    nodes_nsg     = { id = azapi_resource.nsg["nodes"].id, logs = ["NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"], metrics = false }
    endpoints_nsg = { id = azapi_resource.nsg["endpoints"].id, logs = ["NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"], metrics = false }
    logs          = { id = azapi_resource.logs.id, logs = ["Audit"] }
  }
}

resource "azapi_resource" "diagnostics" {
  for_each = local.watched

  # Azure answers the id of the workspace in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  parent_id = each.value.id
  name      = "to-log-analytics"

  body = {
    properties = {
      workspaceId = azapi_resource.logs.id
      logs        = [for category in each.value.logs : { category = category, enabled = true }]
      metrics     = try(each.value.metrics, true) ? [{ category = each.key == "storage" || each.key == "blobs" ? "Transaction" : "AllMetrics", enabled = true }] : []
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
      groupShortName = "workspace"
      emailReceivers = [{ name = "team", emailAddress = var.alert_email, useCommonAlertSchema = true }]
    }
  }
}

locals {
  alerts = {
    node-memory  = { scope = azapi_resource.cluster.id, namespace = "Microsoft.ContainerService/managedClusters", metric = "node_memory_working_set_percentage", operator = "GreaterThan", threshold = 90, severity = 2 }
    node-disk    = { scope = azapi_resource.cluster.id, namespace = "Microsoft.ContainerService/managedClusters", metric = "node_disk_usage_percentage", operator = "GreaterThan", threshold = 85, severity = 2 }
    storage-away = { scope = azapi_resource.storage.id, namespace = "Microsoft.Storage/storageAccounts", metric = "Availability", operator = "LessThan", threshold = 99, severity = 1 }
    vault-away   = { scope = azapi_resource.vault.id, namespace = "Microsoft.KeyVault/vaults", metric = "Availability", operator = "LessThan", threshold = 99, severity = 1 }
  }
}

resource "azapi_resource" "alert" {
  for_each = local.alerts

  # Azure answers ids of what is watched, and names of tags, in small letters.
  ignore_casing = true

  type      = "Microsoft.Insights/metricAlerts@2018-03-01"
  parent_id = azapi_resource.group.id
  name      = "alert-${each.key}-${var.names.cluster}"
  location  = "global"
  tags      = { for name, value in var.tags : lower(name) => value }

  body = {
    properties = {
      description         = "${each.value.metric} of ${each.value.namespace}"
      enabled             = true
      severity            = each.value.severity
      evaluationFrequency = "PT5M"
      windowSize          = "PT15M"
      autoMitigate        = true
      scopes              = [each.value.scope]
      actions             = [for group in azapi_resource.action_group : { actionGroupId = group.id }]
      criteria = {
        "odata.type" = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
        allOf = [{
          name            = each.key
          criterionType   = "StaticThresholdCriterion"
          metricNamespace = each.value.namespace
          metricName      = each.value.metric
          operator        = each.value.operator
          threshold       = each.value.threshold
          timeAggregation = "Average"
        }]
      }
    }
  }
}

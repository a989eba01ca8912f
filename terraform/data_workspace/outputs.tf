output "resources" {
  description = "What was made, by its ARM id; the verify step looks each of them up."

  value = concat(
    [
      azapi_resource.group.id,
      azapi_resource.network.id,
      azapi_resource.nat_gateway.id,
      azapi_resource.public_ip.id,
      azapi_resource.cluster.id,
      azapi_resource.storage.id,
      azapi_resource.vault.id,
      azapi_resource.logs.id,
      azapi_resource.cluster_identity.id,
      azapi_resource.jobs_identity.id,
    ],
    [for endpoint in azapi_resource.endpoint : endpoint.id],
  )
}

output "resource_group" {
  value = azapi_resource.group.name
}

output "cluster" {
  value = {
    id         = azapi_resource.cluster.id
    name       = azapi_resource.cluster.name
    version    = azapi_resource.cluster.output.version
    node_group = azapi_resource.cluster.output.node_group
    private    = length(var.api_ranges) == 0
  }
}

output "storage" {
  value = {
    name       = azapi_resource.storage.name
    dfs        = azapi_resource.storage.output.dfs
    containers = var.containers
    # Where a job that proves the way writes: one that jobs may write.
    container = [for one in var.containers : one if !contains(var.read_only, one)][0]
  }
}

output "vault" {
  value = {
    name = azapi_resource.vault.name
    uri  = azapi_resource.vault.output.uri
  }
}

output "jobs" {
  value = {
    namespace = var.jobs_namespace
    account   = var.jobs_account
    client_id = azapi_resource.jobs_identity.output.client_id
  }
}

output "tenant_id" {
  value = data.azapi_client_config.current.tenant_id
}

output "logs" {
  value = {
    name        = azapi_resource.logs.name
    customer_id = azapi_resource.logs.output.customer_id
  }
}

output "egress_address" {
  value = azapi_resource.public_ip.output.address
}

output "endpoint" {
  description = "The account's address, from inside its network."
  value       = azapi_resource.account.output.properties.endpoint
}

output "account_id" {
  value = azapi_resource.account.id
}

output "deployments" {
  description = "Name → model and version."
  value       = { for name, d in local.deployments : name => "${d.model} ${d.version}" }
}

output "log_workspace_id" {
  value = azapi_resource.log_workspace.id
}

output "resources" {
  description = "What was made, by its ARM id; the verify step looks each of them up."
  value = concat(
    [
      azapi_resource.group.id,
      azapi_resource.virtual_network.id,
      azapi_resource.account.id,
      azapi_resource.endpoint.id,
      azapi_resource.log_workspace.id,
    ],
    [for deployment in azapi_resource.deployment : deployment.id],
  )
}

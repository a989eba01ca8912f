output "workspace_url" {
  description = "The workspace's host, without https://."
  value       = azapi_resource.workspace.output.properties.workspaceUrl
}

output "workspace_id" {
  value = azapi_resource.workspace.id
}

output "databricks_id" {
  description = "The number that Databricks itself knows the workspace by."
  value       = azapi_resource.workspace.output.properties.workspaceId
}

output "access_connector_id" {
  value = azapi_resource.access_connector.id
}

output "egress_address" {
  description = "The address that the nodes' requests to the internet come from."
  value       = azapi_resource.public_ip.output.properties.ipAddress
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
      azapi_resource.nat_gateway.id,
      azapi_resource.access_connector.id,
      azapi_resource.workspace.id,
      azapi_resource.log_workspace.id,
    ],
    [for endpoint in azapi_resource.endpoint : endpoint.id],
  )
}

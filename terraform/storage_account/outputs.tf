output "resources" {
  description = "What was made, by its ARM id; the verify step looks each of them up."
  value       = [azapi_resource.group.id, azapi_resource.storage.id, azapi_resource.logs.id]
}

output "resource_group" {
  value = azapi_resource.group.name
}

output "storage" {
  value = {
    name       = azapi_resource.storage.name
    dfs        = azapi_resource.storage.output.dfs
    blob       = azapi_resource.storage.output.blob
    containers = var.containers
  }
}

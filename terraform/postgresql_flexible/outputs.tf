output "resource_group" {
  value = azapi_resource.group.name
}

output "server" {
  value = {
    name     = azapi_resource.server.name
    host     = azapi_resource.server.output.properties.fullyQualifiedDomainName
    version  = var.engine_version
    dns_zone = azapi_resource.dns_zone.name
  }
}

output "logs" {
  value = { name = azapi_resource.logs.name, id = azapi_resource.logs.id }
}

output "resources" {
  description = "What was made, by its ARM id; the verify step looks each of them up."
  value       = [azapi_resource.group.id, azapi_resource.network.id, azapi_resource.server.id, azapi_resource.logs.id]
}

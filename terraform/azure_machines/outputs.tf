output "resource_group" {
  value = azapi_resource.group.name
}

output "machines" {
  description = "By name: where each is reached, and its ARM id."
  value = {
    for name, one in azapi_resource.machine : name => {
      id        = one.id
      addresses = [azapi_resource.interface[name].output.properties.ipConfigurations[0].properties.privateIPAddress]
    }
  }
}

output "user" {
  value = local.user
}

output "logs" {
  value = { name = azapi_resource.logs.name, id = azapi_resource.logs.id }
}

output "resources" {
  description = "What was made, by its ARM id; the verify step looks each of them up."
  value       = concat([azapi_resource.group.id, azapi_resource.network.id, azapi_resource.logs.id], [for one in azapi_resource.machine : one.id])
}

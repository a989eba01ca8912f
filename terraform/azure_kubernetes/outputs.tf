output "resource_group" {
  value = azapi_resource.group.name
}

output "cluster" {
  value = {
    id         = azapi_resource.cluster.id
    name       = azapi_resource.cluster.name
    version    = azapi_resource.cluster.output.version
    node_group = azapi_resource.cluster.output.node_group
    private    = local.private
  }
}

output "egress_address" {
  value = azapi_resource.public_ip.output.address
}

output "logs" {
  value = { name = azapi_resource.logs.name, id = azapi_resource.logs.id }
}

output "resources" {
  description = "What was made, by its ARM id; the verify step looks each of them up."
  value = [
    azapi_resource.group.id,
    azapi_resource.network.id,
    azapi_resource.nat_gateway.id,
    azapi_resource.public_ip.id,
    azapi_resource.identity.id,
    azapi_resource.cluster.id,
    azapi_resource.logs.id,
  ]
}

output "security_group_id" {
  value = local.security_group
}

output "rules" {
  description = "Name → priority."
  value       = { for rule in var.rules : rule.name => rule.priority }
}

output "resources" {
  description = "What was made, by its ARM id; the verify step looks each of them up."
  value       = concat(azapi_resource.security_group[*].id, [for rule in azapi_resource.rule : rule.id])
}

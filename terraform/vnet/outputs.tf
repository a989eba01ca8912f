output "vnet" {
  description = "What machines name as their bridge."
  value       = proxmox_sdn_vnet.vnet.id
}

output "subnet" {
  value = var.subnet == null ? null : var.subnet.cidr
}

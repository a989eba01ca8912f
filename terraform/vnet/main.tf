# A vnet of Proxmox VE's SDN, with its zone and its subnet where those are its own.

# SDN is written down first and counts when it is applied. What is made first is taken away last: so a removal is applied, too.
resource "proxmox_sdn_applier" "last" {
  on_create  = false
  on_destroy = true
}

resource "proxmox_sdn_zone_vlan" "zone" {
  count = var.zone.made ? 1 : 0

  id     = var.zone.id
  bridge = var.zone.bridge
  nodes  = length(var.zone.nodes) > 0 ? var.zone.nodes : null

  depends_on = [proxmox_sdn_applier.last]
}

resource "proxmox_sdn_vnet" "vnet" {
  id    = var.vnet.id
  zone  = var.zone.id
  tag   = var.vnet.tag
  alias = var.vnet.alias

  depends_on = [proxmox_sdn_applier.last, proxmox_sdn_zone_vlan.zone]
}

resource "proxmox_sdn_subnet" "subnet" {
  count = var.subnet == null ? 0 : 1

  vnet    = proxmox_sdn_vnet.vnet.id
  cidr    = var.subnet.cidr
  gateway = var.subnet.gateway
}

# A resource that there may be none of cannot trigger anything, so what is written down does.
resource "terraform_data" "written" {
  input = { zone = var.zone, vnet = var.vnet, subnet = var.subnet }
}

resource "proxmox_sdn_applier" "now" {
  on_create  = true
  on_destroy = false

  depends_on = [proxmox_sdn_zone_vlan.zone, proxmox_sdn_vnet.vnet, proxmox_sdn_subnet.subnet]

  lifecycle {
    replace_triggered_by = [terraform_data.written, proxmox_sdn_vnet.vnet]
  }
}

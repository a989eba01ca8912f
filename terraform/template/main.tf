# What becomes a template: a virtual machine whose disk is a cloud image that a node downloads. It is started, so that it can be furnished; it
# is shut down and made a template when that is done.

locals {
  machines = { for m in var.machines : m.name => m }
}

resource "proxmox_download_file" "image" {
  # By a key of its own: a plan is told by these, and this is no machine.
  for_each = { for name, m in local.machines : "image of ${name}" => m }

  node_name    = var.image.node
  datastore_id = var.image.storage
  content_type = "import"

  url                = var.image.url
  checksum           = var.image.checksum
  checksum_algorithm = var.image.checksum_algorithm

  # One file for one machine: it goes with it, and is in nobody's way. Proxmox VE wants to see by its name what is in it.
  file_name = "berth-${each.value.vm_id}.qcow2"

  # What was downloaded has its checksum. Looking at the address again would make every later plan depend on the internet.
  overwrite      = false
  upload_timeout = 3600
}

resource "proxmox_virtual_environment_vm" "machine" {
  for_each = local.machines

  name        = each.value.name
  vm_id       = each.value.vm_id
  node_name   = each.value.node
  pool_id     = each.value.pool
  tags        = each.value.tags
  description = each.value.description
  on_boot     = false

  # Removal does not wait for a guest that no longer answers.
  stop_on_destroy = true

  scsi_hardware = "virtio-scsi-single"

  cpu {
    cores = each.value.cpu_count
    type  = each.value.cpu_type
  }

  memory {
    dedicated = each.value.memory_mib
  }

  operating_system {
    type = "l26"
  }

  disk {
    datastore_id = each.value.storage
    interface    = each.value.disk_interface
    import_from  = proxmox_download_file.image["image of ${each.key}"].id
    size         = each.value.disk_gib
    discard      = "on"
    iothread     = true
    ssd          = true
  }

  network_device {
    bridge  = each.value.bridge
    vlan_id = each.value.vlan_tag
  }

  agent {
    enabled = true

    # An image without the agent has a fixed address, so nothing is waited for.
    timeout = each.value.address == "dhcp" ? "5m" : "5s"
  }

  initialization {
    datastore_id = each.value.storage

    ip_config {
      dynamic "ipv4" {
        for_each = each.value.address == "" ? [] : [each.value]

        content {
          address = ipv4.value.address
          gateway = ipv4.value.gateway
        }
      }

      dynamic "ipv6" {
        for_each = each.value.address6 == null ? [] : [each.value]

        content {
          address = ipv6.value.address6
          gateway = ipv6.value.gateway6
        }
      }
    }

    dynamic "dns" {
      for_each = length(each.value.dns_servers) > 0 || each.value.domain != null ? [each.value] : []

      content {
        domain  = dns.value.domain
        servers = length(dns.value.dns_servers) > 0 ? dns.value.dns_servers : null
      }
    }

    user_account {
      username = each.value.user_name
      keys     = each.value.public_keys
    }
  }

  # Debian's and Ubuntu's cloud kernels write to a serial port and may panic without one; Proxmox VE's own guide shows it as the screen.
  serial_device {}

  vga {
    type = "serial0"
  }

  lifecycle {
    ignore_changes = [
      # A machine that was migrated is where it should be.
      node_name,
      # It is shut down and made a template when it is furnished, and no plan may take that back.
      started,
      template,
    ]
  }
}

# Virtual machines on a Proxmox VE cluster, each a full clone of a template with its own place, size and network.

locals {
  machines = { for m in var.machines : m.name => m }

  # By a key of their own: a plan is told by these, and they are no machines.
  guarded = { for m in var.machines : "firewall of ${m.name}" => m if length(m.rules) > 0 }

  # By machine, the key of the group of nodes that it is in.
  grouped = merge([for c in var.confined : { for name in c.machines : name => "nodes of ${c.name}" } if c.by_group]...)
}

resource "proxmox_virtual_environment_vm" "machine" {
  for_each = local.machines

  name      = each.value.name
  vm_id     = each.value.vm_id
  node_name = each.value.node
  pool_id   = each.value.pool
  tags      = each.value.tags
  on_boot   = each.value.on_boot

  description = each.value.description

  # Removal does not wait for a guest that no longer answers.
  stop_on_destroy = true

  clone {
    vm_id        = each.value.template_vm_id
    node_name    = each.value.template_node
    datastore_id = each.value.storage
    full         = true

    # Clones of one template wait for its lock. Ten at once on one busy storage took three tries each (measured, 2026-11-29); the pauses
    # double from 10 s, so that a refusal that lasts is told after two and a half minutes.
    retries = 5
  }

  cpu {
    cores = each.value.cpu_count
    type  = each.value.cpu_type
  }

  dynamic "startup" {
    for_each = each.value.start_order == null ? [] : [each.value.start_order]

    content {
      order = startup.value
    }
  }

  memory {
    dedicated = each.value.memory_mib
  }

  disk {
    datastore_id = each.value.storage
    interface    = each.value.disk_interface
    size         = each.value.disk_gib
    discard      = "on"
    iothread     = startswith(each.value.disk_interface, "sata") ? false : true
    ssd          = startswith(each.value.disk_interface, "virtio") ? false : true
  }

  dynamic "disk" {
    for_each = each.value.data_disks

    content {
      datastore_id = disk.value.storage == "" ? each.value.storage : disk.value.storage
      interface    = disk.value.interface
      size         = disk.value.disk_gib
      serial       = disk.value.serial == "" ? null : disk.value.serial
      discard      = "on"
      iothread     = true
      ssd          = startswith(disk.value.interface, "virtio") ? false : true
    }
  }

  network_device {
    bridge  = each.value.bridge
    vlan_id = each.value.vlan_tag

    # Beside the machine's own and the datacentre's: only where all three are on do rules count.
    firewall = length(each.value.rules) > 0
  }

  dynamic "network_device" {
    for_each = each.value.cards

    content {
      bridge  = network_device.value.bridge
      vlan_id = network_device.value.vlan_tag

      firewall = length(each.value.rules) > 0
    }
  }

  agent {
    enabled = true

    # It tells the address that DHCP gave. A fixed one is known, so a template without an agent costs no time.
    timeout = each.value.address == "dhcp" ? "5m" : "5s"
  }

  initialization {
    datastore_id = each.value.storage

    # Where the template has it. The provider's own choice is ide2.
    interface = each.value.cloud_init_on == "ide2" ? null : each.value.cloud_init_on

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

    # In the order of the cards. Only the first has a gateway: two default routes would be one too many.
    dynamic "ip_config" {
      for_each = each.value.cards

      content {
        dynamic "ipv4" {
          for_each = ip_config.value.address == "" ? [] : [ip_config.value]

          content {
            address = ipv4.value.address
          }
        }

        dynamic "ipv6" {
          for_each = ip_config.value.address6 == null ? [] : [ip_config.value]

          content {
            address = ipv6.value.address6
          }
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

  # Debian's and Ubuntu's cloud kernels write to a serial port and may panic without one.
  serial_device {}

  lifecycle {
    ignore_changes = [
      # A machine that was migrated is where it should be.
      node_name,
      # What it was cloned from matters once.
      clone,
    ]
  }
}

# When the node of such a machine is lost, the cluster's manager starts it on another one.
resource "proxmox_haresource" "machine" {
  # By a key of its own: a plan is told by these, and this is no machine.
  for_each = { for name, m in local.machines : "high availability of ${name}" => m if m.high_availability }

  resource_id = "vm:${proxmox_virtual_environment_vm.machine[each.value.name].vm_id}"
  state       = "started"
  comment     = "Made by Berth"
  group       = try(proxmox_hagroup.nodes[local.grouped[each.value.name]].group, null)
}

# Where they may be started then: a rule is never bent.
resource "proxmox_harule" "machines" {
  for_each = { for r in var.affinities : "rule of the ${r.group == "" ? "machines" : r.group}" => r }

  rule      = each.value.name
  type      = "resource-affinity"
  affinity  = each.value.affinity
  resources = [for name in each.value.machines : proxmox_haresource.machine["high availability of ${name}"].resource_id]
  comment   = "Made by Berth"
}

# Which nodes can run them, where not every node can. No priority is said: all of them do alike.
resource "proxmox_harule" "nodes" {
  for_each = { for c in var.confined : "nodes of ${c.name}" => c if !c.by_group }

  rule      = each.value.name
  type      = "node-affinity"
  nodes     = { for node in each.value.nodes : node => null }
  strict    = true
  resources = [for name in each.value.machines : proxmox_haresource.machine["high availability of ${name}"].resource_id]
  comment   = "Made by Berth"
}

# The same before Proxmox VE 9.
resource "proxmox_hagroup" "nodes" {
  for_each = { for c in var.confined : "nodes of ${c.name}" => c if c.by_group }

  group      = each.value.name
  nodes      = { for node in each.value.nodes : node => null }
  restricted = true
  comment    = "Made by Berth"
}

# A firewall goes with its machine, so with one that is made anew it is set anew: of its options the provider does not see that they are gone.
resource "terraform_data" "guarded" {
  for_each = local.guarded

  input = proxmox_virtual_environment_vm.machine[each.value.name].id
}

# What comes in: these, in their order, and nothing else.
resource "proxmox_virtual_environment_firewall_rules" "machine" {
  for_each = local.guarded

  node_name = proxmox_virtual_environment_vm.machine[each.value.name].node_name
  vm_id     = proxmox_virtual_environment_vm.machine[each.value.name].vm_id

  dynamic "rule" {
    for_each = each.value.rules

    content {
      type    = "in"
      action  = "ACCEPT"
      proto   = rule.value.protocol == "" ? null : rule.value.protocol
      dport   = rule.value.ports == "" ? null : rule.value.ports
      source  = rule.value.source == "" ? null : rule.value.source
      comment = rule.value.comment
    }
  }

  lifecycle {
    replace_triggered_by = [terraform_data.guarded[each.key]]
  }
}

# On when its rules are there: before, it would shut everything.
resource "proxmox_virtual_environment_firewall_options" "machine" {
  for_each = local.guarded

  node_name = proxmox_virtual_environment_firewall_rules.machine[each.key].node_name
  vm_id     = proxmox_virtual_environment_firewall_rules.machine[each.key].vm_id

  enabled       = true
  input_policy  = "DROP"
  output_policy = "ACCEPT"

  # Said, because the provider would say otherwise: an address is asked for and kept by DHCP, and neighbours are found in IPv6.
  dhcp = true
  ndp  = true
  radv = false

  # A virtual address is none that cloud-init gave.
  ipfilter  = false
  macfilter = true

  lifecycle {
    replace_triggered_by = [terraform_data.guarded[each.key]]
  }
}

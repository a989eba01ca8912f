variable "machines" {
  description = "The machines to have, each with its place. Everything is settled beforehand: this module chooses nothing."
  nullable    = false

  type = list(object({
    name           = string
    vm_id          = number
    node           = string
    template_vm_id = number
    template_node  = string
    storage        = string
    disk_interface = string
    disk_gib       = number
    cloud_init_on  = optional(string, "ide2")
    data_disks     = optional(list(object({ interface = string, disk_gib = number, storage = optional(string, ""), serial = optional(string, "") })), [])
    cpu_count      = number
    cpu_type       = optional(string, "x86-64-v2-AES")
    memory_mib     = number
    bridge         = string
    vlan_tag       = optional(number)
    # "dhcp", a fixed one with its prefix, or empty for none of IPv4; beside it a fixed one of IPv6.
    address  = optional(string, "dhcp")
    gateway  = optional(string)
    address6 = optional(string)
    gateway6 = optional(string)
    # Network cards beside the first.
    cards = optional(list(object({
      bridge   = string
      vlan_tag = optional(number)
      address  = optional(string, "dhcp")
      address6 = optional(string)
    })), [])
    user_name   = string
    public_keys = list(string)
    dns_servers = optional(list(string), [])
    domain      = optional(string)
    tags        = optional(list(string), [])
    on_boot     = optional(bool, true)
    # Among those that start with their node, the lowest first; null: in no order.
    start_order = optional(number)
    # Only on shared storage can another node start it.
    high_availability = optional(bool, false)
    # Of its firewall: what comes in, an empty field for any. None: it has no firewall.
    rules       = optional(list(object({ protocol = string, ports = string, source = string, comment = string })), [])
    pool        = optional(string)
    description = optional(string)
  }))

  validation {
    condition     = length(distinct(var.machines[*].name)) == length(var.machines)
    error_message = "Two machines have the same name. Give each its own."
  }

  validation {
    condition     = length(distinct(var.machines[*].vm_id)) == length(var.machines)
    error_message = "Two machines have the same vm_id. Give each its own."
  }

  validation {
    condition     = alltrue([for m in var.machines : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", m.name))])
    error_message = "A name is made of small letters, digits and hyphens, starts and ends with a letter or digit, and has at most 63 characters."
  }

  validation {
    condition     = alltrue([for m in var.machines : m.vm_id >= 100 && m.vm_id <= 999999999 && floor(m.vm_id) == m.vm_id])
    error_message = "A vm_id is a whole number from 100 to 999999999."
  }

  validation {
    condition     = alltrue([for m in var.machines : m.cpu_count >= 1 && m.cpu_count <= 1024 && floor(m.cpu_count) == m.cpu_count])
    error_message = "A machine has 1 to 1024 vCPUs."
  }

  validation {
    condition     = alltrue([for m in var.machines : m.memory_mib >= 256 && floor(m.memory_mib) == m.memory_mib])
    error_message = "A machine has at least 256 MiB of memory, in whole MiB."
  }

  validation {
    condition     = alltrue([for m in var.machines : m.disk_gib >= 1 && floor(m.disk_gib) == m.disk_gib])
    error_message = "A disk has at least 1 GiB, in whole GiB."
  }

  validation {
    condition = alltrue([for m in var.machines : alltrue([
      for d in m.data_disks : can(regex("^(scsi|virtio)[0-9]+$", d.interface)) && d.disk_gib >= 1 && floor(d.disk_gib) == d.disk_gib
    ])])
    error_message = "A data disk is on an interface such as scsi1 or virtio1, and has at least 1 GiB, in whole GiB."
  }

  validation {
    condition     = alltrue([for m in var.machines : length(distinct(concat([m.disk_interface], m.data_disks[*].interface))) == 1 + length(m.data_disks)])
    error_message = "Two disks of a machine are on one interface. Give each its own."
  }

  validation {
    condition     = alltrue([for m in var.machines : can(regex("^(scsi|virtio|sata)[0-9]+$", m.disk_interface))])
    error_message = "A disk interface is one such as scsi0, virtio0 or sata0: that of the template's system disk."
  }

  validation {
    condition     = alltrue([for t in flatten([for m in var.machines : concat([m.vlan_tag], m.cards[*].vlan_tag)]) : t == null ? true : t >= 1 && t <= 4094])
    error_message = "A VLAN tag is a number from 1 to 4094, or null for none."
  }

  validation {
    condition = alltrue([for m in var.machines : alltrue([
      for one in concat([{ address = m.address, address6 = m.address6 }], [for c in m.cards : { address = c.address, address6 = c.address6 }]) :
      (one.address == "dhcp" || one.address == "" || (can(cidrnetmask(one.address)))) &&
      (one.address6 == null ? one.address != "" : can(cidrhost(one.address6, 0)) && !can(cidrnetmask(one.address6)))
    ])])
    error_message = "An address is \"dhcp\", or an IPv4 address with its prefix, such as 10.20.0.5/24; one of IPv6 is such as 2001:db8::5/64."
  }

  validation {
    condition = alltrue([for r in flatten(var.machines[*].rules) :
      contains(["", "tcp", "udp"], r.protocol) && can(regex("^([0-9]+(:[0-9]+)?)?$", r.ports)) && (r.ports == "" || r.protocol != "") &&
      alltrue([for s in compact(split(",", r.source)) : can(cidrhost(s, 0))])
    ])
    error_message = "A rule has tcp or udp, a port such as 443 or 8000:8100, and networks such as 10.0.0.0/8; each may be empty, and ports need a protocol."
  }

  validation {
    condition     = alltrue([for m in var.machines : length(m.public_keys) > 0])
    error_message = "A machine needs at least one public SSH key, or nobody could log in."
  }
}

variable "affinities" {
  description = "Of machines that are highly available: which of them are kept on one node, or each on its own. Proxmox VE 9 and later."
  nullable    = false
  default     = []

  type = list(object({
    name     = string
    group    = string
    affinity = string
    machines = list(string)
  }))

  validation {
    condition     = alltrue([for r in var.affinities : contains(["negative", "positive"], r.affinity) && length(r.machines) > 1])
    error_message = "A rule keeps two machines or more together (positive) or apart (negative)."
  }
}

variable "confined" {
  description = "Of machines that are highly available: which of them some nodes alone can run, told by a rule, or before Proxmox VE 9 by a group."
  nullable    = false
  default     = []

  type = list(object({
    name     = string
    by_group = bool
    nodes    = list(string)
    machines = list(string)
  }))

  validation {
    condition     = alltrue([for c in var.confined : length(c.nodes) > 1 && length(c.machines) > 0])
    error_message = "Machines that are highly available are kept on two nodes or more."
  }
}

variable "image" {
  description = "The cloud image, and the node and the storage that download it. The storage must have the content type `import`."
  nullable    = false

  type = object({
    url                = string
    checksum           = string
    checksum_algorithm = string
    node               = string
    storage            = string
  })

  validation {
    condition     = can(regex("^https?://[^\\s]+$", var.image.url))
    error_message = "The image is downloaded from an address that begins with https:// or http://."
  }

  validation {
    condition     = contains(["sha256", "sha512"], var.image.checksum_algorithm) && can(regex("^([0-9a-f]{64}|[0-9a-f]{128})$", var.image.checksum))
    error_message = "The image has a checksum of 64 (sha256) or 128 (sha512) hexadecimal digits in small letters."
  }
}

variable "machines" {
  description = "The machine that becomes the template, with its place. Everything is settled beforehand: this module chooses nothing."
  nullable    = false

  type = list(object({
    name           = string
    vm_id          = number
    node           = string
    storage        = string
    disk_interface = string
    disk_gib       = number
    cpu_count      = number
    cpu_type       = optional(string, "x86-64-v2-AES")
    memory_mib     = number
    bridge         = string
    vlan_tag       = optional(number)
    # "dhcp", a fixed one with its prefix, or empty for none of IPv4; beside it a fixed one of IPv6.
    address     = optional(string, "dhcp")
    gateway     = optional(string)
    address6    = optional(string)
    gateway6    = optional(string)
    user_name   = string
    public_keys = list(string)
    dns_servers = optional(list(string), [])
    domain      = optional(string)
    tags        = optional(list(string), [])
    pool        = optional(string)
    description = optional(string)
  }))

  validation {
    condition     = length(var.machines) == 1
    error_message = "One machine becomes one template."
  }

  validation {
    condition     = alltrue([for m in var.machines : can(regex("^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$", m.name))])
    error_message = "A name is made of small letters, digits, dots and hyphens, starts and ends with a letter or digit, and has at most 63 characters."
  }

  validation {
    condition     = alltrue([for m in var.machines : m.vm_id >= 100 && m.vm_id <= 999999999 && floor(m.vm_id) == m.vm_id])
    error_message = "A vm_id is a whole number from 100 to 999999999."
  }

  validation {
    condition     = alltrue([for m in var.machines : m.disk_gib >= 1 && floor(m.disk_gib) == m.disk_gib])
    error_message = "A disk has at least 1 GiB, in whole GiB."
  }

  validation {
    condition     = alltrue([for m in var.machines : m.vlan_tag == null ? true : m.vlan_tag >= 1 && m.vlan_tag <= 4094])
    error_message = "A VLAN tag is a number from 1 to 4094, or null for none."
  }

  validation {
    condition     = alltrue([for m in var.machines : length(m.public_keys) > 0])
    error_message = "A machine needs at least one public SSH key, or nobody could log in."
  }
}

variable "subscription_id" {
  description = "The subscription that everything is made in."
  type        = string
  nullable    = false
}

variable "location" {
  description = "The region by its ARM name, such as eastus."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "On every resource that can have tags; at least owner and environment."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in ["owner", "environment"] : contains(keys(var.tags), name)])
    error_message = "The tags name at least owner and environment."
  }
}

variable "names" {
  description = "What everything is called. Settled beforehand: this module chooses nothing."
  nullable    = false

  type = object({
    resource_group = string
    network        = string
    nsg            = string
    nat_gateway    = string
    public_ip      = string
    logs           = string
    action_group   = string
  })
}

variable "machines" {
  description = "By name; each has its availability zone, or none."
  type        = map(object({ zone = string }))
  nullable    = false

  validation {
    condition     = length(var.machines) > 0 && alltrue([for one in var.machines : contains(["", "1", "2", "3"], one.zone)])
    error_message = "There is at least one machine, and a zone is 1, 2 or 3."
  }
}

variable "address_space" {
  description = "Of the network, in CIDR; all of it is the machines' subnet."
  type        = string
  nullable    = false
}

variable "hub_id" {
  description = "The network that this one is peered with; empty: none."
  type        = string
  default     = ""
}

variable "neighbour_ids" {
  description = "Networks of others that these machines use, and that are peered with theirs."
  type        = list(string)
  default     = []
}

variable "ports" {
  description = "What is let in; VirtualNetwork is the network and those that are peered with it."
  type        = list(object({ port = string, protocol = string, source = string }))
  nullable    = false
}

variable "size" {
  description = "Of each machine, such as Standard_D2s_v5."
  type        = string
  nullable    = false
}

variable "marketplace_image" {
  description = "Of the marketplace; one of generation 2 that Trusted Launch takes."
  nullable    = false

  type = object({
    publisher = string
    offer     = string
    sku       = string
    version   = string
  })
}

variable "disk_gib" {
  description = "Of each machine's system disk."
  type        = number
  nullable    = false
}

variable "data_disks_gib" {
  description = "Of each machine, beside its system disk."
  type        = list(number)
  default     = []
}

variable "disk_type" {
  type     = string
  nullable = false

  validation {
    condition     = contains(["Premium_LRS", "StandardSSD_LRS"], var.disk_type)
    error_message = "The disks are Premium_LRS or StandardSSD_LRS."
  }
}

variable "public_keys" {
  description = "Who may log in, by SSH: RSA keys of 2,048 bits and more, or ED25519 ones."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.public_keys) > 0
    error_message = "A machine without a password needs a key."
  }
}

variable "log_retention_days" {
  description = "How long metrics are kept."
  type        = number
  default     = 90
}

variable "alert_email" {
  description = "Who is told of alerts; empty: alerts only show in the portal."
  type        = string
  default     = ""
}

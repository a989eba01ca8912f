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
    postgresql     = string
    network        = string
    nsg            = string
    logs           = string
    action_group   = string
  })
}

variable "address_space" {
  description = "Of the network, in CIDR; all of it is the server's subnet, which has at least 16 addresses."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.address_space, 15))
    error_message = "The server's subnet is at least a /28."
  }
}

variable "sku" {
  description = "The size and its tier: Standard_D2s_v3 is GeneralPurpose."
  nullable    = false

  type = object({
    name = string
    tier = string
  })
}

variable "storage_gib" {
  description = "It only ever grows."
  type        = number
  nullable    = false

  validation {
    condition     = contains([32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, 16384, 32767], var.storage_gib)
    error_message = "The storage has one of the sizes of a Premium SSD: 32, 64, 128 and so on."
  }
}

variable "engine_version" {
  description = "PostgreSQL's major version."
  type        = string
  nullable    = false
}

variable "standby" {
  description = "ZoneRedundant: a standby in another zone; Disabled: none."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["ZoneRedundant", "Disabled"], var.standby)
    error_message = "The standby is ZoneRedundant or Disabled."
  }
}

variable "databases" {
  type     = list(string)
  nullable = false
}

variable "settings" {
  description = "Server parameters that are not left to Azure."
  type        = map(string)
  default     = {}
}

variable "administrators" {
  description = "Object id of the Entra group that administers it; empty: nobody does until one is named."
  type        = string
  default     = ""
}

variable "backup_days" {
  description = "How long backups are kept, 7 to 35."
  type        = number
  default     = 14
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 90
}

variable "hub_id" {
  description = "The network that this one is peered with; empty: none."
  type        = string
  default     = ""
}

variable "alert_email" {
  description = "Who is told of alerts; empty: alerts only show in the portal."
  type        = string
  default     = ""
}

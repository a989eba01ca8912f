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
    storage        = string
    logs           = string
  })
}

variable "data_lake" {
  description = "A hierarchical namespace (ADLS Gen2) instead of plain blobs. It cannot be changed later."
  type        = bool
  nullable    = false
}

variable "redundancy" {
  description = "LRS, ZRS or GRS."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["LRS", "ZRS", "GRS"], var.redundancy)
    error_message = "The redundancy is LRS, ZRS or GRS."
  }
}

variable "containers" {
  description = "The containers (file systems)."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in var.containers : can(regex("^[a-z0-9](-?[a-z0-9])*$", name)) && length(name) >= 3 && length(name) <= 63])
    error_message = "A container's name has 3 to 63 small letters, digits and single hyphens."
  }
}

variable "allowed_ranges" {
  description = "Public addresses (CIDR) that may reach it. Empty: nobody, until a private endpoint is added."
  type        = list(string)
  default     = []
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 90
}

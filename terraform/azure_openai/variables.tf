variable "subscription_id" {
  description = "The subscription everything is made in."
  type        = string
}

variable "location" {
  description = "The region, by its ARM name: eastus2."
  type        = string
}

variable "tags" {
  description = "On everything that takes tags."
  type        = map(string)

  validation {
    condition     = alltrue([for name in ["owner", "environment"] : contains(keys(var.tags), name)])
    error_message = "Everything says whose it is and what it serves: the tags owner and environment are needed."
  }
}

variable "names" {
  description = "What everything is called. Settled beforehand: this module chooses nothing."
  nullable    = false

  type = object({
    resource_group = string
    openai         = string
    network        = string
    nsg            = string
    logs           = string
  })
}

variable "address_space" {
  description = "Of the virtual network that the private endpoint stands in, in CIDR. Its first half is the endpoint's subnet."
  type        = string
}

variable "deployments" {
  description = "Models to serve. `capacity_thousands` is in thousands of tokens a minute."
  type = list(object({
    name               = string
    model              = string
    version            = string
    sku                = string
    capacity_thousands = number
  }))

  validation {
    condition     = length(distinct(var.deployments[*].name)) == length(var.deployments)
    error_message = "Two deployments have the same name. Give each its own."
  }

  validation {
    condition     = alltrue([for d in var.deployments : d.capacity_thousands >= 1])
    error_message = "A deployment takes at least a thousand tokens a minute."
  }
}

variable "log_retention_days" {
  type    = number
  default = 90
}

variable "log_daily_quota_gb" {
  description = "At most so much is taken in a day, so that a noisy account costs no more."
  type        = number
  default     = 1
}

variable "hub_id" {
  description = "The network that this one is peered with; empty: none."
  type        = string
  default     = ""
}

variable "dns_zones_id" {
  description = "The resource group that has the site's private DNS zones; empty: a zone is made here."
  type        = string
  default     = ""
}

variable "subscription_id" {
  description = "The subscription everything is made in."
  type        = string
}

variable "location" {
  description = "The region, by its ARM name: eastus."
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

variable "managed_resource_group_name" {
  description = "Made by Databricks, for the machines and the storage of the workspace; it must not exist yet."
  type        = string
}

variable "names" {
  description = "What everything is called. Settled beforehand: this module chooses nothing."
  nullable    = false

  type = object({
    resource_group   = string
    databricks       = string
    network          = string
    nsg              = string
    nat_gateway      = string
    public_ip        = string
    access_connector = string
    logs             = string
  })
}

variable "address_space" {
  description = "Of the virtual network, in CIDR."
  type        = string
}

variable "subnets" {
  description = "CIDR of each subnet: two for the nodes, as Databricks wants them, and one for private endpoints."
  type = object({
    host      = string
    container = string
    endpoints = string
  })
}

variable "log_retention_days" {
  type    = number
  default = 90
}

variable "log_daily_quota_gb" {
  description = "At most so much is taken in a day, so that a noisy workspace costs no more."
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

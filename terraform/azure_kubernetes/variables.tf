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
    resource_group  = string
    network         = string
    nsg             = string
    nat_gateway     = string
    public_ip       = string
    cluster         = string
    identity        = string
    logs            = string
    action_group    = string
    collection_rule = string
  })
}

variable "address_space" {
  description = "Of the network, in CIDR; all of it is the nodes' subnet. Pods have addresses of their own."
  type        = string
  nullable    = false
}

variable "service_cidr" {
  description = "Of Kubernetes services; overlaps with no network that the cluster talks to."
  type        = string
  default     = "172.29.0.0/16"
}

variable "pod_cidr" {
  description = "Of pods: an overlay, so it may be the same in every cluster; each node takes a /24 of it."
  type        = string
  default     = "10.244.0.0/16"
}

variable "kubernetes_version" {
  description = "The minor release, such as 1.34."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "A minor release looks like 1.34."
  }
}

variable "pools" {
  description = "The node pools, the system pool first. `least`: it has so many nodes, and up to `count` as they are needed. `only_system`: nothing of the operator's own comes to it."
  nullable    = false

  type = list(object({
    name        = string
    mode        = string
    vm_size     = string
    count       = number
    least       = optional(number)
    disk_gib    = number
    only_system = optional(bool, false)
    zones       = optional(list(string), [])
  }))

  validation {
    condition     = length(var.pools) > 0 ? var.pools[0].mode == "System" && var.pools[0].count > 0 : false
    error_message = "The first pool is the system pool, and it has a node."
  }

  validation {
    condition     = alltrue([for p in var.pools : can(regex("^[a-z][a-z0-9]{0,11}$", p.name))])
    error_message = "A pool's name has 1 to 12 small letters and digits and starts with a letter."
  }

  validation {
    condition     = alltrue([for p in var.pools : p.count >= 0 && p.count <= 1000 && coalesce(p.least, p.count) <= p.count && coalesce(p.least, 1) >= 1])
    error_message = "A pool has 0 to 1000 nodes, and at the least no more than at the most."
  }
}

variable "api_ranges" {
  description = "Public addresses (CIDR) from which the Kubernetes API may be reached, besides the nodes' own way out. Empty: the API is private to the network."
  type        = list(string)
  default     = []
}

variable "administrators" {
  description = "Object id of the Entra group whose people administer it; empty: nobody does until one is named."
  type        = string
  default     = ""
}

variable "alert_email" {
  description = "Who is told of alerts; empty: alerts only show in the portal."
  type        = string
  default     = ""
}

variable "hub_id" {
  description = "The network that this one is peered with; empty: none."
  type        = string
  default     = ""
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 90
}

variable "log_daily_gb" {
  description = "The cap of logs a day; what comes beyond it is not taken."
  type        = number
  default     = 5
}

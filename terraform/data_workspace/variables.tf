variable "subscription_id" {
  description = "The subscription that everything is made in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.subscription_id))
    error_message = "A subscription id has the form 00000000-0000-0000-0000-000000000000."
  }
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
    resource_group   = string
    network          = string
    nat_gateway      = string
    public_ip        = string
    nodes_nsg        = string
    endpoints_nsg    = string
    cluster          = string
    storage          = string
    vault            = string
    logs             = string
    cluster_identity = string
    jobs_identity    = string
    action_group     = string
    collection_rule  = string
  })
}

variable "address_space" {
  description = "Of the network; a quarter is for nodes, a sixteenth for private endpoints."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.address_space, 4, 0))
    error_message = "An address space is a CIDR such as 10.42.0.0/20."
  }
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
  description = "The minor release, such as 1.34; empty: what Azure takes by itself."
  type        = string
  default     = ""

  validation {
    condition     = var.kubernetes_version == "" || can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "A minor release looks like 1.34."
  }
}

variable "pools" {
  description = "The node pools, the system pool first. A pool with min_count equal to max_count is not scaled."
  nullable    = false

  type = list(object({
    name      = string
    mode      = optional(string, "User")
    vm_size   = string
    min_count = number
    max_count = number
    spot      = optional(bool, false)
    gpu       = optional(bool, false)
    os_disk   = optional(string, "Managed")
    disk_gib  = optional(number, 128)
    labels    = optional(map(string), {})
    zones     = optional(list(string), [])
  }))

  validation {
    condition     = length(var.pools) > 0 ? var.pools[0].mode == "System" && !var.pools[0].spot : false
    error_message = "The first pool is the system pool, and it is not made of spot machines."
  }

  validation {
    condition     = length(distinct(var.pools[*].name)) == length(var.pools)
    error_message = "Two pools have the same name. Give each its own."
  }

  validation {
    condition     = alltrue([for p in var.pools : can(regex("^[a-z][a-z0-9]{0,11}$", p.name))])
    error_message = "A pool's name has 1 to 12 small letters and digits and starts with a letter."
  }

  validation {
    condition     = alltrue([for p in var.pools : p.min_count >= 0 && p.min_count <= p.max_count && p.max_count >= 1 && p.max_count <= 1000])
    error_message = "A pool has 1 to 1000 nodes at most, and at least 0."
  }
}

variable "api_ranges" {
  description = "Public addresses (CIDR) from which the Kubernetes API may be reached, besides the nodes' own way out. Empty: the API is private to the network."
  type        = list(string)
  default     = []
}

variable "storage_path" {
  description = "How the nodes reach the storage account and the vault: service_endpoint (free) or private_endpoint (paid by the GB)."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["service_endpoint", "private_endpoint"], var.storage_path)
    error_message = "The path is service_endpoint or private_endpoint."
  }
}

variable "redundancy" {
  description = "Of the storage account: LRS, ZRS or GRS."
  type        = string
  default     = "ZRS"
}

variable "containers" {
  description = "The containers (file systems) of the data lake. Jobs read those of `read_only`, and write the others."
  type        = list(string)
  default     = ["bronze", "silver", "gold"]
}

variable "read_only" {
  description = "Containers that jobs only read."
  type        = list(string)
  default     = []
}

variable "cool_after_days" {
  description = "Days after the last change when a blob becomes cool; 0: never."
  type        = number
  default     = 0
}

variable "delete_after_days" {
  description = "Days after the last change when raw data (the first container) is deleted; 0: never."
  type        = number
  default     = 0
}

variable "jobs_namespace" {
  description = "The Kubernetes namespace of Spark jobs."
  type        = string
  default     = "spark"
}

variable "jobs_account" {
  description = "The Kubernetes service account of Spark jobs, which stands for the jobs' identity."
  type        = string
  default     = "spark"
}

variable "team_group_id" {
  description = "Object id of the team's Entra group; empty: nobody is given a role besides the jobs and whoever applies."
  type        = string
  default     = ""
}

variable "budget_monthly" {
  description = "What it may cost a month, in the currency of the subscription's bill; 0: no budget is watched."
  type        = number
  default     = 0
}

variable "budget_from" {
  description = "The first day of the month from which the budget is watched, such as 2026-11-01."
  type        = string
  default     = ""

  validation {
    condition     = var.budget_from == "" || can(regex("^[0-9]{4}-[0-9]{2}-01$", var.budget_from))
    error_message = "A monthly budget begins on the first day of a month, such as 2026-11-01."
  }
}

variable "alert_email" {
  description = "Who is told of alerts; empty: alerts only show in the portal."
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
  default     = 10
}

variable "hub_id" {
  description = "The network that this one is peered with; empty: none."
  type        = string
  default     = ""
}

variable "dns_zones_id" {
  description = "The resource group that has the site's private DNS zones; empty: zones are made here."
  type        = string
  default     = ""
}

variable "subscription_id" {
  description = "The subscription everything is made in."
  type        = string
}

variable "location" {
  description = "The region of the security group, by its ARM name."
  type        = string
}

variable "tags" {
  description = "On a security group that is made here. Rules take no tags."
  type        = map(string)

  validation {
    condition     = alltrue([for name in ["owner", "environment"] : contains(keys(var.tags), name)])
    error_message = "Everything says whose it is and what it serves: the tags owner and environment are needed."
  }
}

variable "names" {
  description = "What is made here is called so; empty where the security group exists."
  nullable    = false

  type = object({
    resource_group = optional(string, "")
    nsg            = optional(string, "")
  })
}

variable "security_group_id" {
  description = "Of the security group that gets the rules; empty: one is made, with a resource group of its own."
  type        = string
  nullable    = false
}

variable "rules" {
  description = "What is let in. `sources` are CIDR or service tags."
  type = list(object({
    name        = string
    priority    = number
    protocol    = string
    ports       = list(string)
    sources     = list(string)
    destination = optional(string, "*")
    description = optional(string, "")
  }))

  validation {
    condition     = length(distinct(var.rules[*].name)) == length(var.rules)
    error_message = "Two rules have the same name. Give each its own."
  }

  validation {
    condition     = alltrue([for r in var.rules : r.priority >= 100 && r.priority <= 4096])
    error_message = "A rule's priority is from 100 to 4096."
  }
}

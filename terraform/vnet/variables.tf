variable "zone" {
  description = "The zone that the vnet is in; made with it where `made`, on these nodes (none: on all)."
  type = object({
    id     = string
    made   = bool
    bridge = string
    nodes  = list(string)
  })
}

variable "vnet" {
  type = object({
    id    = string
    tag   = number
    alias = optional(string)
  })
}

variable "subnet" {
  type = object({
    cidr    = string
    gateway = optional(string)
  })
  default = null
}

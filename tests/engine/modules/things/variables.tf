variable "machines" {
  type = list(object({
    name        = string
    vm_id       = number
    node        = string
    memory_mib  = number
    cpu_count   = number
    public_keys = optional(list(string), [])
  }))

  validation {
    condition     = alltrue([for machine in var.machines : machine.cpu_count > 0])
    error_message = "Every machine needs at least one processor."
  }
}

variable "effects" {
  type = string
}

variable "seconds" {
  type    = number
  default = 0
}

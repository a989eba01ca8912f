# A module for the engine's tests: real Terraform, its built-in provider, and an effect that can be counted.
terraform {
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}

resource "terraform_data" "machine" {
  for_each = { for machine in var.machines : machine.name => machine }
  input    = merge(each.value, { effects = var.effects })

  provisioner "local-exec" {
    command = "sleep ${var.seconds}; echo made ${each.key} >> ${var.effects}; test ! -e ${var.effects}.fail"
  }

  provisioner "local-exec" {
    when    = destroy
    command = "echo removed ${self.input.name} >> ${self.input.effects}"
  }
}

output "machines" {
  value = {
    for name, machine in terraform_data.machine : name => {
      vm_id     = machine.output.vm_id
      node      = machine.output.node
      addresses = ["127.0.0.1"]
    }
  }
}

output "machines" {
  description = "Every machine by name: its id, its node, and its IPv4 addresses as its guest agent reports them."

  value = {
    for name, vm in proxmox_virtual_environment_vm.machine : name => {
      vm_id = vm.vm_id
      node  = vm.node_name
      addresses = [
        for address in flatten(coalesce(vm.ipv4_addresses, [])) : address
        if !startswith(address, "127.") && !startswith(address, "169.254.")
      ]
    }
  }
}

"""The table of the stand-in for bpg/proxmox: its VM, pools, HA resources and HA rules, with flags, defaults and what replaces.

Types, flags, defaults and replacements are those recorded from the released provider 0.111.1 on 2026-11-21, where the recording
shows them; defaults inside blocks it did not use (`serial_device`, `vga`, `startup`, `operating_system`, and sizes left out) are
those of the provider's published documentation. What is marked `refused` is known by name only. What is done with the values is
in `virtual_machine`.
"""

from __future__ import annotations

from cluster_sim.mirror.schema import BOOL, NUMBER, STRING, STRING_SET, STRINGS, Attribute, Block, Nested, Values, one


def _unless_migrated(planned: Values) -> bool:
    """A VM moves to another node in place only where the operator allows it."""
    return not planned.get("migrate")


CONFIGURATION = Block(
    {
        "api_token": Attribute(STRING, "OS"),
        "auth_ticket": Attribute(STRING, "OS"),
        "csrf_prevention_token": Attribute(STRING, "OS"),
        "endpoint": Attribute(STRING, "O"),
        "insecure": Attribute(BOOL, "O"),
        "min_tls": Attribute(STRING, "O"),
        "otp": Attribute(STRING, "OD"),
        "password": Attribute(STRING, "OS"),
        "random_vm_id_end": Attribute(NUMBER, "O"),
        "random_vm_id_start": Attribute(NUMBER, "O"),
        "random_vm_ids": Attribute(BOOL, "O"),
        "tmp_dir": Attribute(STRING, "O"),
        "username": Attribute(STRING, "O"),
        "ssh": one(
            {
                "agent": Attribute(BOOL, "O"),
                "agent_forwarding": Attribute(BOOL, "O"),
                "agent_socket": Attribute(STRING, "O"),
                "node_address_source": Attribute(STRING, "O"),
                "password": Attribute(STRING, "OS"),
                "private_key": Attribute(STRING, "OS"),
                "socks5_password": Attribute(STRING, "OS"),
                "socks5_server": Attribute(STRING, "O"),
                "socks5_username": Attribute(STRING, "O"),
                "username": Attribute(STRING, "O"),
                "node": Block(
                    {
                        "address": Attribute(STRING, "R"),
                        "name": Attribute(STRING, "R"),
                        "port": Attribute(NUMBER, "O"),
                    }
                ),
            }
        ),
    }
)

VIRTUAL_MACHINE = Block(
    {
        "acpi": Attribute(BOOL, "O", True),
        "bios": Attribute(STRING, "O", "seabios"),
        "boot_order": Attribute(STRINGS, "OC"),
        "delete_unreferenced_disks_on_destroy": Attribute(BOOL, "O", True),
        "description": Attribute(STRING, "O"),
        "hook_script_file_id": Attribute(STRING, "O"),
        "hotplug": Attribute(STRING, "OC"),
        "id": Attribute(STRING, "OC"),
        "ipv4_addresses": Attribute(["list", ["list", STRING]], "C"),
        "ipv6_addresses": Attribute(["list", ["list", STRING]], "C"),
        "keyboard_layout": Attribute(STRING, "O", "en-us"),
        "kvm_arguments": Attribute(STRING, "O"),
        "mac_addresses": Attribute(STRINGS, "OC", refused=True),
        "machine": Attribute(STRING, "O"),
        "migrate": Attribute(BOOL, "O", False),
        "name": Attribute(STRING, "O"),
        "network_device": Block(
            {
                "bridge": Attribute(STRING, "O", "vmbr0"),
                "disconnected": Attribute(BOOL, "O"),
                "enabled": Attribute(BOOL, "O", True, refused=True),
                "firewall": Attribute(BOOL, "O", False),
                "mac_address": Attribute(STRING, "OC"),
                "model": Attribute(STRING, "O", "virtio"),
                "mtu": Attribute(NUMBER, "O", 0),
                "queues": Attribute(NUMBER, "O", 0),
                "rate_limit": Attribute(NUMBER, "O", 0),
                "trunks": Attribute(STRING, "O"),
                "vlan_id": Attribute(NUMBER, "O", 0),
            },
            flags="OC",
        ),
        "network_interface_names": Attribute(STRINGS, "C"),
        "node_name": Attribute(STRING, "R", replaces=_unless_migrated),
        "on_boot": Attribute(BOOL, "O", True),
        "pool_id": Attribute(STRING, "O"),
        "protection": Attribute(BOOL, "O", False),
        "purge_on_destroy": Attribute(BOOL, "O", True),
        "reboot": Attribute(BOOL, "O", False, refused=True),
        "reboot_after_update": Attribute(BOOL, "O", True),
        "scsi_hardware": Attribute(STRING, "O", "virtio-scsi-pci"),
        "started": Attribute(BOOL, "O", True),
        "stop_on_destroy": Attribute(BOOL, "O", False),
        "tablet_device": Attribute(BOOL, "O", True),
        "tags": Attribute(STRINGS, "O"),
        "template": Attribute(BOOL, "O", False),
        "timeout_clone": Attribute(NUMBER, "O", 1800),
        "timeout_create": Attribute(NUMBER, "O", 1800),
        "timeout_migrate": Attribute(NUMBER, "O", 1800),
        "timeout_move_disk": Attribute(NUMBER, "OD", 1800),
        "timeout_reboot": Attribute(NUMBER, "O", 1800),
        "timeout_shutdown_vm": Attribute(NUMBER, "O", 1800),
        "timeout_start_vm": Attribute(NUMBER, "O", 1800),
        "timeout_stop_vm": Attribute(NUMBER, "O", 300),
        "vm_id": Attribute(NUMBER, "OC", replaces=True),
        "agent": one(
            {
                "enabled": Attribute(BOOL, "O", False),
                "timeout": Attribute(STRING, "O", "15m"),
                "trim": Attribute(BOOL, "O", False),
                "type": Attribute(STRING, "O", "virtio"),
                "wait_for_ip": one(
                    {
                        "disabled": Attribute(BOOL, "O", False),
                        "ipv4": Attribute(BOOL, "O", False),
                        "ipv6": Attribute(BOOL, "O", False),
                    }
                ),
            }
        ),
        "amd_sev": one(
            {
                "allow_smt": Attribute(BOOL, "O"),
                "kernel_hashes": Attribute(BOOL, "O"),
                "no_debug": Attribute(BOOL, "O"),
                "no_key_sharing": Attribute(BOOL, "O"),
                "type": Attribute(STRING, "O"),
            },
            refused=True,
        ),
        "audio_device": one(
            {
                "device": Attribute(STRING, "O"),
                "driver": Attribute(STRING, "O"),
                "enabled": Attribute(BOOL, "O"),
            },
            refused=True,
        ),
        "cdrom": one(
            {
                "enabled": Attribute(BOOL, "OD"),
                "file_id": Attribute(STRING, "O"),
                "interface": Attribute(STRING, "O"),
            },
            refused=True,
        ),
        "clone": one(
            {
                "datastore_id": Attribute(STRING, "O"),
                "full": Attribute(BOOL, "O", True, replaces=True),
                "node_name": Attribute(STRING, "O"),
                "retries": Attribute(NUMBER, "O", 1),
                "vm_id": Attribute(NUMBER, "R", replaces=True),
            }
        ),
        "cpu": one(
            {
                "affinity": Attribute(STRING, "O"),
                "architecture": Attribute(STRING, "O", refused=True),
                "cores": Attribute(NUMBER, "O", 1),
                "flags": Attribute(STRINGS, "O"),
                "hotplugged": Attribute(NUMBER, "O", 0),
                "limit": Attribute(NUMBER, "O", 0),
                "numa": Attribute(BOOL, "O", False),
                "sockets": Attribute(NUMBER, "O", 1),
                "type": Attribute(STRING, "O", "qemu64"),
                "units": Attribute(NUMBER, "OC"),
            }
        ),
        "disk": Block(
            {
                "aio": Attribute(STRING, "O", "io_uring"),
                "backup": Attribute(BOOL, "O", True),
                "cache": Attribute(STRING, "O", "none"),
                "datastore_id": Attribute(STRING, "O", "local-lvm"),
                "discard": Attribute(STRING, "O", "ignore"),
                "file_format": Attribute(STRING, "OC"),
                "file_id": Attribute(STRING, "O", refused=True),
                "import_from": Attribute(STRING, "O"),
                "interface": Attribute(STRING, "R"),
                "iothread": Attribute(BOOL, "O", False),
                "path_in_datastore": Attribute(STRING, "OC"),
                "queues": Attribute(NUMBER, "O", 0),
                "replicate": Attribute(BOOL, "O", True),
                "serial": Attribute(STRING, "O"),
                "size": Attribute(NUMBER, "OC"),
                "ssd": Attribute(BOOL, "O", False),
                "speed": one(
                    {
                        "iops_read": Attribute(NUMBER, "O"),
                        "iops_read_burstable": Attribute(NUMBER, "O"),
                        "iops_write": Attribute(NUMBER, "O"),
                        "iops_write_burstable": Attribute(NUMBER, "O"),
                        "read": Attribute(NUMBER, "O"),
                        "read_burstable": Attribute(NUMBER, "O"),
                        "write": Attribute(NUMBER, "O"),
                        "write_burstable": Attribute(NUMBER, "O"),
                    },
                    refused=True,
                ),
            },
            items_max=31,
        ),
        "efi_disk": one(
            {
                "datastore_id": Attribute(STRING, "O"),
                "file_format": Attribute(STRING, "OC"),
                "pre_enrolled_keys": Attribute(BOOL, "O"),
                "type": Attribute(STRING, "O"),
            },
            refused=True,
        ),
        "hostpci": Block(
            {
                "device": Attribute(STRING, "R"),
                "id": Attribute(STRING, "O"),
                "mapping": Attribute(STRING, "O"),
                "mdev": Attribute(STRING, "O"),
                "pcie": Attribute(BOOL, "O"),
                "rom_file": Attribute(STRING, "O"),
                "rombar": Attribute(BOOL, "O"),
                "xvga": Attribute(BOOL, "O"),
            },
            items_max=16,
            refused=True,
        ),
        "initialization": one(
            {
                "datastore_id": Attribute(STRING, "O", "local-lvm"),
                "file_format": Attribute(STRING, "OC"),
                "interface": Attribute(STRING, "O"),
                "meta_data_file_id": Attribute(STRING, "OC", refused=True),
                "network_data_file_id": Attribute(STRING, "OC", refused=True),
                "type": Attribute(STRING, "OC"),
                "upgrade": Attribute(BOOL, "OC"),
                "user_data_file_id": Attribute(STRING, "OC", refused=True),
                "vendor_data_file_id": Attribute(STRING, "OC", refused=True),
                "dns": one(
                    {
                        "domain": Attribute(STRING, "O"),
                        "servers": Attribute(STRINGS, "O"),
                    }
                ),
                "ip_config": Block(
                    {
                        "ipv4": one(
                            {
                                "address": Attribute(STRING, "O"),
                                "gateway": Attribute(STRING, "O"),
                            }
                        ),
                        "ipv6": one(
                            {
                                "address": Attribute(STRING, "O"),
                                "gateway": Attribute(STRING, "O"),
                            }
                        ),
                    },
                    items_max=32,
                ),
                "user_account": one(
                    {
                        "keys": Attribute(STRINGS, "O"),
                        "password": Attribute(STRING, "OS"),
                        "username": Attribute(STRING, "O"),
                    }
                ),
            }
        ),
        "memory": one(
            {
                "dedicated": Attribute(NUMBER, "O", 512),
                "floating": Attribute(NUMBER, "O", 0),
                "hugepages": Attribute(STRING, "O", refused=True),
                "keep_hugepages": Attribute(BOOL, "O", False, refused=True),
                "shared": Attribute(NUMBER, "O", 0),
            }
        ),
        "numa": Block(
            {
                "cpus": Attribute(STRING, "R"),
                "device": Attribute(STRING, "R"),
                "hostnodes": Attribute(STRING, "O"),
                "memory": Attribute(NUMBER, "R"),
                "policy": Attribute(STRING, "O"),
            },
            refused=True,
        ),
        "operating_system": one(
            {
                "type": Attribute(STRING, "O", "other"),
            }
        ),
        "rng": Block(
            {
                "max_bytes": Attribute(NUMBER, "OC"),
                "period": Attribute(NUMBER, "OC"),
                "source": Attribute(STRING, "R"),
            },
            refused=True,
        ),
        "serial_device": Block(
            {
                "device": Attribute(STRING, "O", "socket"),
            },
            items_max=4,
        ),
        "smbios": one(
            {
                "family": Attribute(STRING, "O"),
                "manufacturer": Attribute(STRING, "O"),
                "product": Attribute(STRING, "O"),
                "serial": Attribute(STRING, "O"),
                "sku": Attribute(STRING, "O"),
                "uuid": Attribute(STRING, "OC"),
                "version": Attribute(STRING, "O"),
            },
            refused=True,
        ),
        "startup": one(
            {
                "down_delay": Attribute(NUMBER, "O", -1),
                "order": Attribute(NUMBER, "O", -1),
                "up_delay": Attribute(NUMBER, "O", -1),
            }
        ),
        "tpm_state": one(
            {
                "datastore_id": Attribute(STRING, "O"),
                "version": Attribute(STRING, "O"),
            },
            refused=True,
        ),
        "usb": Block(
            {
                "host": Attribute(STRING, "O"),
                "mapping": Attribute(STRING, "O"),
                "usb3": Attribute(BOOL, "O"),
            },
            refused=True,
        ),
        "vga": one(
            {
                "clipboard": Attribute(STRING, "O"),
                "memory": Attribute(NUMBER, "O", 16),
                "type": Attribute(STRING, "O", "std"),
            },
            computed=True,
        ),
        "virtiofs": Block(
            {
                "cache": Attribute(STRING, "O"),
                "direct_io": Attribute(BOOL, "O"),
                "expose_acl": Attribute(BOOL, "O"),
                "expose_xattr": Attribute(BOOL, "O"),
                "mapping": Attribute(STRING, "R"),
            },
            items_max=8,
            refused=True,
        ),
        "watchdog": one(
            {
                "action": Attribute(STRING, "O"),
                "enabled": Attribute(BOOL, "O"),
                "model": Attribute(STRING, "O"),
            },
            refused=True,
        ),
    }
)

_POOL_MEMBER = {"datastore_id": STRING, "id": STRING, "node_name": STRING, "type": STRING, "vm_id": NUMBER}

POOL = Block(
    {
        "comment": Attribute(STRING, "O"),
        "id": Attribute(STRING, "OC"),
        "members": Attribute(["list", ["object", _POOL_MEMBER]], "C"),
        "pool_id": Attribute(STRING, "R", replaces=True),
    }
)

POOL_MEMBERSHIP = Block(
    {
        "id": Attribute(STRING, "C"),
        "pool_id": Attribute(STRING, "R", replaces=True),
        "storage_id": Attribute(STRING, "O", replaces=True),
        "type": Attribute(STRING, "C"),
        "vm_id": Attribute(NUMBER, "O", replaces=True),
    }
)

HA_RESOURCE = Block(
    {
        "comment": Attribute(STRING, "O"),
        "failback": Attribute(BOOL, "O"),
        "group": Attribute(STRING, "O"),
        "id": Attribute(STRING, "C"),
        "max_relocate": Attribute(NUMBER, "O"),
        "max_restart": Attribute(NUMBER, "O"),
        "resource_id": Attribute(STRING, "R", replaces=True),
        "state": Attribute(STRING, "OC", "started"),
        "type": Attribute(STRING, "OC", replaces=True),
    }
)

# Not in the recording: as the provider's own documentation of it has it (docs/resources/hagroup.md, read at 521933c, 2026-12-01).
HA_GROUP = Block(
    {
        "comment": Attribute(STRING, "O"),
        "group": Attribute(STRING, "R", replaces=True),
        "id": Attribute(STRING, "C"),
        "no_failback": Attribute(BOOL, "OC", False),
        "nodes": Attribute(["map", NUMBER], "R"),
        "restricted": Attribute(BOOL, "OC", False),
    }
)

HA_RULE = Block(
    {
        "affinity": Attribute(STRING, "O"),
        "comment": Attribute(STRING, "O"),
        "disable": Attribute(BOOL, "OC", False),
        "id": Attribute(STRING, "C"),
        "nodes": Attribute(["map", NUMBER], "O"),
        "resources": Attribute(STRING_SET, "R"),
        "rule": Attribute(STRING, "R", replaces=True),
        "strict": Attribute(BOOL, "OC", False),
        "type": Attribute(STRING, "R", replaces=True),
    }
)

DOWNLOAD_FILE = Block(
    {
        "checksum": Attribute(STRING, "O", replaces=True),
        "checksum_algorithm": Attribute(STRING, "O", replaces=True),
        "content_type": Attribute(STRING, "R", replaces=True),
        "datastore_id": Attribute(STRING, "R", replaces=True),
        "decompression_algorithm": Attribute(STRING, "O", replaces=True),
        "file_name": Attribute(STRING, "OC", replaces=True),
        "id": Attribute(STRING, "C"),
        "node_name": Attribute(STRING, "R", replaces=True),
        "overwrite": Attribute(BOOL, "OC", True),
        "overwrite_unmanaged": Attribute(BOOL, "OC", False),
        "size": Attribute(NUMBER, "C"),
        "upload_timeout": Attribute(NUMBER, "OC", 600),
        "url": Attribute(STRING, "R", replaces=True),
        "verify": Attribute(BOOL, "OC", True),
    }
)

_SDN_ZONE: dict[str, Attribute] = {
    "dns": Attribute(STRING, "O"),
    "dns_zone": Attribute(STRING, "O"),
    "id": Attribute(STRING, "R", replaces=True),
    "ipam": Attribute(STRING, "O"),
    "mtu": Attribute(NUMBER, "OC"),
    "nodes": Attribute(STRING_SET, "OC"),
    "pending": Attribute(BOOL, "C"),
    "reverse_dns": Attribute(STRING, "O"),
    "state": Attribute(STRING, "C"),
}

SDN_ZONE_VLAN = Block({**_SDN_ZONE, "bridge": Attribute(STRING, "R")})

SDN_ZONE_SIMPLE = Block({**_SDN_ZONE, "dhcp": Attribute(STRING, "O")})

SDN_VNET = Block(
    {
        "alias": Attribute(STRING, "O"),
        "id": Attribute(STRING, "R", replaces=True),
        "isolate_ports": Attribute(BOOL, "O"),
        "tag": Attribute(NUMBER, "O"),
        "vlan_aware": Attribute(BOOL, "O"),
        "zone": Attribute(STRING, "R"),
    }
)

SDN_SUBNET = Block(
    {
        "cidr": Attribute(STRING, "R", replaces=True),
        "dhcp_dns_server": Attribute(STRING, "O"),
        "dhcp_range": Nested("single", "O", {"end_address": Attribute(STRING, "R"), "start_address": Attribute(STRING, "R")}),
        "dns_zone_prefix": Attribute(STRING, "O"),
        "gateway": Attribute(STRING, "O"),
        "id": Attribute(STRING, "C"),
        "snat": Attribute(BOOL, "O"),
        "vnet": Attribute(STRING, "R", replaces=True),
    }
)

SDN_APPLIER = Block(
    {
        "id": Attribute(STRING, "C"),
        "on_create": Attribute(BOOL, "OC", True, replaces=True),
        "on_destroy": Attribute(BOOL, "OC", True, replaces=True),
    }
)

_WHOSE = {
    "container_id": Attribute(NUMBER, "O"),
    "id": Attribute(STRING, "OC"),
    "vm_id": Attribute(NUMBER, "O"),
}

FIREWALL_OPTIONS = Block(
    {
        **_WHOSE,
        "dhcp": Attribute(BOOL, "O", False),
        "enabled": Attribute(BOOL, "O", False),
        "input_policy": Attribute(STRING, "O", "DROP"),
        "ipfilter": Attribute(BOOL, "O"),
        "log_level_in": Attribute(STRING, "O", "nolog"),
        "log_level_out": Attribute(STRING, "O", "nolog"),
        "macfilter": Attribute(BOOL, "O", True),
        "ndp": Attribute(BOOL, "O", False),
        "node_name": Attribute(STRING, "R"),
        "output_policy": Attribute(STRING, "O", "ACCEPT"),
        "radv": Attribute(BOOL, "O", True),
    }
)

FIREWALL_RULES = Block(
    {
        **_WHOSE,
        "node_name": Attribute(STRING, "O"),
        "rule": Block(
            {
                "action": Attribute(STRING, "O"),
                "comment": Attribute(STRING, "O"),
                "dest": Attribute(STRING, "O"),
                "dport": Attribute(STRING, "O"),
                "enabled": Attribute(BOOL, "O", True),
                "iface": Attribute(STRING, "O"),
                "log": Attribute(STRING, "O"),
                "macro": Attribute(STRING, "O"),
                "pos": Attribute(NUMBER, "C"),
                "proto": Attribute(STRING, "O"),
                "security_group": Attribute(STRING, "O"),
                "source": Attribute(STRING, "O"),
                "sport": Attribute(STRING, "O"),
                "type": Attribute(STRING, "O"),
            }
        ),
    }
)

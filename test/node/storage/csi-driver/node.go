package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func (d *driver) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: d.node}, nil
}

func (d *driver) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{Capabilities: []*csi.NodeServiceCapability{{
		Type: &csi.NodeServiceCapability_Rpc{Rpc: &csi.NodeServiceCapability_RPC{Type: csi.NodeServiceCapability_RPC_EXPAND_VOLUME}},
	}}}, nil
}

func (d *driver) NodePublishVolume(ctx context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	found, err := d.volume(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	target := request.GetTargetPath()
	return faulty(ctx, d.faults, "NodePublishVolume", found.Claim, func() (*csi.NodePublishVolumeResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		if found, err = d.volume(request.GetVolumeId()); err != nil {
			return nil, err
		}
		done := &csi.NodePublishVolumeResponse{}
		if isMounted(target) {
			return done, nil
		}
		source := d.store.data(found.Handle)
		if found.Block {
			source, err = output("losetup", "--find", "--show", "--nooverlap", d.store.disk(found.Handle))
			if err == nil {
				err = touch(target)
			}
		} else {
			err = os.MkdirAll(target, 0o750)
		}
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
			return nil, status.Errorf(codes.Internal, "cannot mount %s: %v", source, err)
		}
		if request.GetReadonly() {
			if err := unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
				return nil, status.Errorf(codes.Internal, "cannot make %s read-only: %v", target, err)
			}
		}
		found.Published = append(found.Published, target)
		return done, d.store.write(found)
	})
}

func (d *driver) NodeUnpublishVolume(ctx context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	found, err := d.store.find(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	target, claim := request.GetTargetPath(), ""
	if found != nil {
		claim = found.Claim
	}
	return faulty(ctx, d.faults, "NodeUnpublishVolume", claim, func() (*csi.NodeUnpublishVolumeResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		if found, err = d.store.find(request.GetVolumeId()); err != nil {
			return nil, err
		}
		if isMounted(target) {
			if err := unix.Unmount(target, 0); err != nil {
				return nil, status.Errorf(codes.Internal, "cannot unmount %s: %v", target, err)
			}
		}
		if err := os.RemoveAll(target); err != nil {
			return nil, err
		}
		done := &csi.NodeUnpublishVolumeResponse{}
		if found == nil {
			return done, nil
		}
		found.Published = slices.DeleteFunc(found.Published, func(path string) bool { return path == target })
		if device := d.loop(found.Handle); found.Block && len(found.Published) == 0 && device != "" {
			if err := run("losetup", "--detach", device); err != nil {
				return nil, status.Error(codes.Internal, err.Error())
			}
		}
		return done, d.store.write(found)
	})
}

func (d *driver) NodeExpandVolume(_ context.Context, request *csi.NodeExpandVolumeRequest) (*csi.NodeExpandVolumeResponse, error) {
	found, err := d.volume(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	if device := d.loop(found.Handle); found.Block && device != "" {
		err = run("losetup", "--set-capacity", device)
	}
	return &csi.NodeExpandVolumeResponse{CapacityBytes: found.Bytes}, err
}

// The loop device of a Block volume that is published; empty when there is none.
func (d *driver) loop(handle string) string {
	found, _ := output("losetup", "--noheadings", "--output", "NAME", "--associated", d.store.disk(handle))
	return strings.TrimSpace(strings.Split(found, "\n")[0])
}

// What a pod wrote to a device may still be in the device's own cache.
func (d *driver) flush(handle string) {
	if device, err := os.OpenFile(d.loop(handle), os.O_RDWR, 0); err == nil {
		device.Sync()
		device.Close()
	}
}

func isMounted(path string) bool {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	return strings.Contains(string(mounts), " "+path+" ")
}

func touch(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE, 0o600)
	if err == nil {
		err = file.Close()
	}
	return err
}

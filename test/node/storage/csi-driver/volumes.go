package main

import (
	"context"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The provisioner names the claim by these.
const (
	claimNamespace = "csi.storage.k8s.io/pvc/namespace"
	claimName      = "csi.storage.k8s.io/pvc/name"
)

const leastBytes = 1 << 20

func (d *driver) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	kinds := []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CLONE_VOLUME,
		csi.ControllerServiceCapability_RPC_EXPAND_VOLUME,
	}
	if d.snapshots {
		kinds = append(kinds,
			csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
			csi.ControllerServiceCapability_RPC_LIST_SNAPSHOTS)
	}
	answer := &csi.ControllerGetCapabilitiesResponse{}
	for _, kind := range kinds {
		answer.Capabilities = append(answer.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: kind}},
		})
	}
	return answer, nil
}

func (d *driver) CreateVolume(ctx context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	asked := request.GetParameters()
	claim := asked[claimNamespace] + "/" + asked[claimName]
	return faulty(ctx, d.faults, "CreateVolume", claim, func() (*csi.CreateVolumeResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		made := &record{
			Handle: request.GetName(),
			Name:   request.GetName(),
			Bytes:  max(request.GetCapacityRange().GetRequiredBytes(), leastBytes),
			Block:  isBlock(request.GetVolumeCapabilities()),
			Claim:  claim,
		}
		answer := func(r *record) *csi.CreateVolumeResponse {
			return &csi.CreateVolumeResponse{Volume: &csi.Volume{
				VolumeId: r.Handle, CapacityBytes: r.Bytes, ContentSource: request.GetVolumeContentSource(),
			}}
		}
		before, err := d.store.find(made.Handle)
		if err != nil {
			return nil, err
		}
		if before != nil {
			if before.Bytes < made.Bytes || before.Block != made.Block {
				return nil, status.Errorf(codes.AlreadyExists, "%s exists and is different", made.Handle)
			}
			return answer(before), nil
		}
		from := ""
		if source := request.GetVolumeContentSource(); source != nil {
			from = source.GetSnapshot().GetSnapshotId() + source.GetVolume().GetVolumeId()
			if err := d.fits(from, made); err != nil {
				return nil, err
			}
		}
		if err := d.store.create(made, from, false); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		return answer(made), nil
	})
}

func (d *driver) fits(from string, made *record) error {
	source, err := d.store.find(from)
	if err != nil {
		return err
	}
	if source == nil {
		return status.Errorf(codes.NotFound, "there is no %s to copy", from)
	}
	if made.Bytes < source.Bytes {
		return status.Errorf(codes.OutOfRange, "%d bytes are asked for and %s has %d", made.Bytes, from, source.Bytes)
	}
	if made.Block != source.Block {
		return status.Errorf(codes.InvalidArgument, "%s has another volume mode", from)
	}
	return nil
}

func (d *driver) DeleteVolume(ctx context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	found, err := d.store.find(request.GetVolumeId())
	if err != nil || found == nil || found.isSnapshot() {
		return &csi.DeleteVolumeResponse{}, err
	}
	return faulty(ctx, d.faults, "DeleteVolume", found.Claim, func() (*csi.DeleteVolumeResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		if found, err = d.store.find(request.GetVolumeId()); err != nil || found == nil {
			return &csi.DeleteVolumeResponse{}, err
		}
		if len(found.Published) > 0 {
			return nil, status.Errorf(codes.FailedPrecondition, "%s is in use", found.Handle)
		}
		return &csi.DeleteVolumeResponse{}, d.store.remove(found.Handle)
	})
}

func (d *driver) ControllerExpandVolume(ctx context.Context, request *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	found, err := d.volume(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	return faulty(ctx, d.faults, "ControllerExpandVolume", found.Claim, func() (*csi.ControllerExpandVolumeResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		if found, err = d.volume(request.GetVolumeId()); err != nil {
			return nil, err
		}
		found.Bytes = max(found.Bytes, request.GetCapacityRange().GetRequiredBytes())
		if found.Block {
			if err := resize(d.store.disk(found.Handle), found.Bytes); err != nil {
				return nil, err
			}
		}
		answer := &csi.ControllerExpandVolumeResponse{CapacityBytes: found.Bytes, NodeExpansionRequired: false}
		return answer, d.store.write(found)
	})
}

func (d *driver) ValidateVolumeCapabilities(_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if _, err := d.volume(request.GetVolumeId()); err != nil {
		return nil, err
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{
		VolumeCapabilities: request.GetVolumeCapabilities(),
	}}, nil
}

func (d *driver) volume(handle string) (*record, error) {
	found, err := d.store.find(handle)
	if err == nil && (found == nil || found.isSnapshot()) {
		err = status.Errorf(codes.NotFound, "there is no volume %s", handle)
	}
	return found, err
}

func isBlock(wanted []*csi.VolumeCapability) bool {
	return len(wanted) > 0 && wanted[0].GetBlock() != nil
}

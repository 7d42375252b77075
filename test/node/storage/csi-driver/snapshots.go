package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func (d *driver) CreateSnapshot(ctx context.Context, request *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	source, err := d.volume(request.GetSourceVolumeId())
	if err != nil {
		return nil, err
	}
	return faulty(ctx, d.faults, "CreateSnapshot", source.Claim, func() (*csi.CreateSnapshotResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		made, err := d.cut(snapshotOf(source, request.GetName()))
		if err != nil {
			return nil, err
		}
		return &csi.CreateSnapshotResponse{Snapshot: d.describe(made)}, nil
	})
}

func snapshotOf(source *record, name string) *record {
	return &record{
		Handle: name, Name: name, Bytes: source.Bytes, Block: source.Block, Claim: source.Claim, Source: source.Handle,
	}
}

func (d *driver) cut(wanted *record) (*record, error) {
	before, err := d.store.find(wanted.Handle)
	if err != nil {
		return nil, err
	}
	if before != nil {
		if before.Source != wanted.Source {
			return nil, status.Errorf(codes.AlreadyExists, "%s was cut from %s", before.Name, before.Source)
		}
		return before, nil
	}
	if wanted.Block {
		d.flush(wanted.Source)
	}
	if err := d.store.create(wanted, wanted.Source, true); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return wanted, nil
}

func (d *driver) describe(r *record) *csi.Snapshot {
	return &csi.Snapshot{
		SnapshotId: r.Handle, SourceVolumeId: r.Source, SizeBytes: r.Bytes, GroupSnapshotId: r.Group,
		CreationTime: timestamppb.New(r.Created), ReadyToUse: !d.faults.neverReady(r.Claim),
	}
}

func (d *driver) DeleteSnapshot(ctx context.Context, request *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	found, err := d.store.find(request.GetSnapshotId())
	if err != nil || found == nil || !found.isSnapshot() {
		return &csi.DeleteSnapshotResponse{}, err
	}
	return faulty(ctx, d.faults, "DeleteSnapshot", found.Claim, func() (*csi.DeleteSnapshotResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		return &csi.DeleteSnapshotResponse{}, d.store.remove(found.Handle)
	})
}

func (d *driver) ListSnapshots(ctx context.Context, request *csi.ListSnapshotsRequest) (*csi.ListSnapshotsResponse, error) {
	return faulty(ctx, d.faults, "ListSnapshots", "", func() (*csi.ListSnapshotsResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		records, err := d.store.all()
		answer := &csi.ListSnapshotsResponse{}
		for _, r := range records {
			isAsked := (request.GetSnapshotId() == "" || request.GetSnapshotId() == r.Handle) &&
				(request.GetSourceVolumeId() == "" || request.GetSourceVolumeId() == r.Source)
			if r.isSnapshot() && isAsked {
				answer.Entries = append(answer.Entries, &csi.ListSnapshotsResponse_Entry{Snapshot: d.describe(r)})
			}
		}
		return answer, err
	})
}

func (d *driver) GroupControllerGetCapabilities(context.Context, *csi.GroupControllerGetCapabilitiesRequest) (*csi.GroupControllerGetCapabilitiesResponse, error) {
	return &csi.GroupControllerGetCapabilitiesResponse{Capabilities: []*csi.GroupControllerServiceCapability{{
		Type: &csi.GroupControllerServiceCapability_Rpc{Rpc: &csi.GroupControllerServiceCapability_RPC{
			Type: csi.GroupControllerServiceCapability_RPC_CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT,
		}},
	}}}, nil
}

// All at one instant: while the members are cut, no process of a pod runs.
func (d *driver) CreateVolumeGroupSnapshot(ctx context.Context, request *csi.CreateVolumeGroupSnapshotRequest) (*csi.CreateVolumeGroupSnapshotResponse, error) {
	return faulty(ctx, d.faults, "CreateVolumeGroupSnapshot", "", func() (*csi.CreateVolumeGroupSnapshotResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		members, err := d.members(request.GetName())
		if err != nil {
			return nil, err
		}
		if len(members) == 0 {
			wanted := []*record{}
			for _, handle := range request.GetSourceVolumeIds() {
				source, err := d.volume(handle)
				if err != nil {
					return nil, err
				}
				sum := sha256.Sum256([]byte(handle))
				member := snapshotOf(source, request.GetName()+"-"+hex.EncodeToString(sum[:6]))
				member.Group, member.GroupName = request.GetName(), request.GetName()
				wanted = append(wanted, member)
			}
			if err := d.cutTogether(wanted); err != nil {
				return nil, err
			}
			members = wanted
		}
		return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: d.describeGroup(request.GetName(), members)}, nil
	})
}

func (d *driver) cutTogether(wanted []*record) error {
	d.freeze()
	defer d.thaw()
	for index, member := range wanted {
		if _, err := d.cut(member); err != nil {
			// A group is whole or not there.
			for _, done := range wanted[:index] {
				d.store.remove(done.Handle)
			}
			return err
		}
	}
	return nil
}

func (d *driver) GetVolumeGroupSnapshot(_ context.Context, request *csi.GetVolumeGroupSnapshotRequest) (*csi.GetVolumeGroupSnapshotResponse, error) {
	members, err := d.members(request.GetGroupSnapshotId())
	if err == nil && len(members) == 0 {
		err = status.Errorf(codes.NotFound, "there is no group %s", request.GetGroupSnapshotId())
	}
	if err != nil {
		return nil, err
	}
	return &csi.GetVolumeGroupSnapshotResponse{GroupSnapshot: d.describeGroup(request.GetGroupSnapshotId(), members)}, nil
}

func (d *driver) DeleteVolumeGroupSnapshot(ctx context.Context, request *csi.DeleteVolumeGroupSnapshotRequest) (*csi.DeleteVolumeGroupSnapshotResponse, error) {
	return faulty(ctx, d.faults, "DeleteVolumeGroupSnapshot", "", func() (*csi.DeleteVolumeGroupSnapshotResponse, error) {
		d.store.Lock()
		defer d.store.Unlock()
		members, err := d.members(request.GetGroupSnapshotId())
		for _, member := range members {
			if err == nil {
				err = d.store.remove(member.Handle)
			}
		}
		return &csi.DeleteVolumeGroupSnapshotResponse{}, err
	})
}

func (d *driver) members(group string) ([]*record, error) {
	records, err := d.store.all()
	members := []*record{}
	for _, r := range records {
		if r.Group == group {
			members = append(members, r)
		}
	}
	return members, err
}

func (d *driver) describeGroup(group string, members []*record) *csi.VolumeGroupSnapshot {
	answer := &csi.VolumeGroupSnapshot{GroupSnapshotId: group, ReadyToUse: true}
	for _, member := range members {
		described := d.describe(member)
		answer.Snapshots = append(answer.Snapshots, described)
		answer.ReadyToUse = answer.ReadyToUse && described.ReadyToUse
		answer.CreationTime = described.CreationTime
	}
	return answer
}

func (d *driver) freeze() { d.control("FROZEN", "1") }

func (d *driver) thaw() { d.control("THAWED", "0") }

// Control groups of either version, whichever is there.
func (d *driver) control(first, second string) {
	if d.freezer == "" {
		return
	}
	state := filepath.Join(d.freezer, "freezer.state")
	if _, err := os.Stat(state); err != nil {
		os.WriteFile(filepath.Join(d.freezer, "cgroup.freeze"), []byte(second), 0o600)
		return
	}
	// The first version may be still FREEZING; asking again helps it along.
	for try := 0; try < 100; try++ {
		os.WriteFile(state, []byte(first), 0o600)
		now, _ := os.ReadFile(state)
		if strings.TrimSpace(string(now)) == first {
			return
		}
	}
}

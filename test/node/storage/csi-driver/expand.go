package main

import (
	"context"
	"encoding/json"
	"log"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const lookEvery = 500 * time.Millisecond

// What csi-resizer does, which is no Go module that could be had: claims that ask for more than they have get it.
func (d *driver) expandForever(kubeconfig string) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	for {
		time.Sleep(lookEvery)
		claims, err := client.CoreV1().PersistentVolumeClaims("").List(context.TODO(), meta.ListOptions{})
		if err != nil {
			// A cluster that restarts is back with the next look.
			continue
		}
		for _, claim := range claims.Items {
			if err := d.expandClaim(client, &claim); err != nil {
				log.Printf("cannot expand %s/%s: %v", claim.Namespace, claim.Name, err)
			}
		}
	}
}

func (d *driver) expandClaim(client kubernetes.Interface, claim *core.PersistentVolumeClaim) error {
	ctx := context.TODO()
	wanted, has := claim.Spec.Resources.Requests[core.ResourceStorage], claim.Status.Capacity[core.ResourceStorage]
	if claim.Status.Phase != core.ClaimBound || wanted.Cmp(has) <= 0 {
		return nil
	}
	volume, err := client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, meta.GetOptions{})
	if err != nil || volume.Spec.CSI == nil || volume.Spec.CSI.Driver != d.name {
		return err
	}
	now := volume.Spec.Capacity[core.ResourceStorage]
	if wanted.Cmp(now) > 0 {
		_, err := d.ControllerExpandVolume(ctx, &csi.ControllerExpandVolumeRequest{
			VolumeId: volume.Spec.CSI.VolumeHandle, CapacityRange: &csi.CapacityRange{RequiredBytes: wanted.Value()},
		})
		if err != nil {
			return err
		}
		capacity := map[string]any{"spec": map[string]any{"capacity": map[string]any{"storage": wanted.String()}}}
		if _, err := client.CoreV1().PersistentVolumes().Patch(ctx, volume.Name, types.MergePatchType, text(capacity), meta.PatchOptions{}); err != nil {
			return err
		}
	}
	// The kubelet would do this too, a minute later.
	if _, err := d.NodeExpandVolume(ctx, &csi.NodeExpandVolumeRequest{VolumeId: volume.Spec.CSI.VolumeHandle}); err != nil {
		return err
	}
	status := map[string]any{"status": map[string]any{"capacity": map[string]any{"storage": wanted.String()}}}
	_, err = client.CoreV1().PersistentVolumeClaims(claim.Namespace).Patch(ctx, claim.Name, types.MergePatchType, text(status), meta.PatchOptions{}, "status")
	return err
}

func text(value any) []byte {
	written, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return written
}
